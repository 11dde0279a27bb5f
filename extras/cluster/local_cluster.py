"""Start a command once for each task of a cluster on this machine, as several machines would.

Each line that a task prints has the name of the task before it. Imports no TensorFlow.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import random
import signal
import sys
from typing import NoReturn

from extras.cluster.rendezvous_port import listener_at
from extras.cluster.task_processes import VISIBLE_GPUS, Supervisor, TaskProcess
from extras.cluster.tf_config import CHIEF, EVALUATOR, PS, WORKER
from library.errors import ConfigError, ResourceError
from library.runtime.entry import run_program

# Below those that the system gives to outgoing connections, which might take one in between.
_PORTS = range(15000, 32000)
_TRIES = 1000
# Seconds that the others have to end by themselves, where one has failed.
_GRACE = 20.0
_ENDING = (signal.SIGTERM, signal.SIGINT)


def main(argv: list[str]) -> int:
    """Start the tasks and wait; return the status of the first that failed, otherwise 0."""
    own, command = _split(argv)
    options = parser().parse_args(own)
    for name in ('workers', 'ps', 'gpus', 'grace'):
        if getattr(options, name) < 0:
            raise ConfigError(f'--{name} {getattr(options, name)}: must be 0 or more')
    if not command:
        raise ConfigError('no command: give it after --, such as -- run.py train')
    if not options.workers + options.ps:
        raise ConfigError('a chief alone is no cluster: give --workers or --ps')
    jobs = [(CHIEF, 1), (WORKER, options.workers), (PS, options.ps)]
    addresses = free_addresses(sum(count for _, count in jobs))
    cluster = {job: [addresses.pop() for _ in range(count)] for job, count in jobs if count}
    tasks = [(job, index) for job in cluster for index in range(len(cluster[job]))]
    if options.evaluator:
        tasks.append((EVALUATOR, 0))
    gpus = _dealt_gpus([job for job, _ in tasks], options.gpus)
    return _run(command, cluster, tasks, gpus, options.grace)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as everywhere in this project."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f'{message} (see --help)')


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Split the words into those for this program and the command."""
    place = argv.index('--') if '--' in argv else len(argv)
    return argv[:place], argv[place + 1 :]


def parser() -> argparse.ArgumentParser:
    """Parse the options of this program, before the command."""
    made = _Parser(
        prog='python -m extras.cluster.local_cluster',
        usage='%(prog)s [--workers N] [--ps N] [--evaluator] [--gpus N] [--grace SECONDS] '
        '-- COMMAND',
        description='Starts a command once for each task of a cluster on this machine, with '
        'TF_CONFIG set. This Python runs it: run.py train, or -m package.module.',
        allow_abbrev=False,
    )
    for name, default, text in (
        ('workers', 1, 'workers beside the chief (1)'),
        ('ps', 0, 'parameter servers (0)'),
        ('gpus', 0, 'GPUs for the chief and for each worker; other tasks get none (0)'),
    ):
        made.add_argument(f'--{name}', type=int, default=default, metavar='N', help=text)
    made.add_argument('--evaluator', action='store_true', help='start an evaluator too')
    made.add_argument(
        '--grace',
        type=float,
        default=_GRACE,
        metavar='SECONDS',
        help=f'how long the others may take to end once one has failed ({_GRACE:g})',
    )
    return made


def free_addresses(count: int) -> list[str]:
    """Find different free addresses on this machine.

    Raises:
      ResourceError: there are not so many.
    """
    found: list[str] = []
    with contextlib.ExitStack() as held:
        for port in random.SystemRandom().sample(_PORTS, _TRIES):
            if len(found) == count:
                return found
            with contextlib.suppress(OSError):
                held.enter_context(listener_at(port))
                found.append(f'localhost:{port}')
    raise ResourceError(f'there are no {count} free ports on this machine')


def _dealt_gpus(jobs: list[str], each: int) -> list[str]:
    """Deal out GPUs: CUDA_VISIBLE_DEVICES of each task that trains.

    Two tasks on one GPU would take each other's memory, and NCCL refuses them.

    Args:
      jobs: of each task.
      each: how many GPUs a task gets that trains.

    Raises:
      ConfigError: this process may not use so many.
    """
    counts = [each if job in (CHIEF, WORKER) else 0 for job in jobs]
    needed, visible = sum(counts), os.environ.get(VISIBLE_GPUS)
    gpus = [str(number) for number in range(needed)]
    if visible is not None:
        gpus = [name.strip() for name in visible.split(',') if name.strip() not in ('', '-1')]
    if len(gpus) < needed:
        raise ConfigError(
            f'--gpus {each}: the chief and the workers need {needed}, and {VISIBLE_GPUS} names '
            f'{len(gpus)}'
        )
    left = iter(gpus)
    return [','.join(itertools.islice(left, count)) for count in counts]


def _run(
    command: list[str],
    cluster: dict[str, list[str]],
    tasks: list[tuple[str, int]],
    gpus: list[str],
    grace: float,
) -> int:
    came: list[int] = []
    before = {each: signal.signal(each, lambda number, _: came.append(number)) for each in _ENDING}
    processes: list[TaskProcess] = []
    try:
        for (job, index), own_gpus in zip(tasks, gpus, strict=True):
            processes.append(TaskProcess(command, cluster, job, index, own_gpus))
        return Supervisor(processes, grace).wait(came)
    finally:
        for process in processes:
            process.close()
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == '__main__':
    sys.exit(run_program(main))
