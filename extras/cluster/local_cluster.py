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
from extras.cluster.task_processes import VISIBLE_GPUS, TaskProcess, supervise
from extras.cluster.tasks import Cluster, Task
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
    """Start the tasks and wait for them; returns the status of the first that failed, else 0."""
    place = argv.index('--') if '--' in argv else len(argv)
    options, command = parser().parse_args(argv[:place]), argv[place + 1 :]
    for name in ('workers', 'ps', 'gpus', 'grace'):
        if getattr(options, name) < 0:
            raise ConfigError(f'--{name} {getattr(options, name)}: must be 0 or more')
    if not command:
        raise ConfigError('no command: give it after --, such as -- run.py train')
    if not options.workers + options.ps:
        raise ConfigError('a chief alone is no cluster: give --workers or --ps')
    jobs = {CHIEF: 1, WORKER: options.workers, PS: options.ps}
    addresses = free_addresses(sum(jobs.values()))
    tasks = tuple(
        Task(job, index, addresses.pop()) for job, count in jobs.items() for index in range(count)
    )
    evaluator = [Task(EVALUATOR, 0, '')] if options.evaluator else []
    clusters = [Cluster(tasks, own) for own in (*tasks, *evaluator)]
    return _run(command, clusters, _dealt_gpus(clusters, options.gpus), options.grace)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all of this project's."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f'{message} (see --help)')


def parser() -> argparse.ArgumentParser:
    """Return the parser of this program's own options, before the command."""
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
    """Find addresses on this machine, all different, which nobody uses now.

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


def _dealt_gpus(clusters: list[Cluster], each: int) -> list[str]:
    """Return CUDA_VISIBLE_DEVICES of each task: where it trains, GPUs of its own.

    Two tasks on one GPU would take each other's memory, and NCCL refuses them.

    Args:
      clusters: as each task sees it.
      each: how many GPUs a task gets that trains.

    Raises:
      ConfigError: this process may not use so many.
    """
    counts = [each if cluster.own in cluster.trainers else 0 for cluster in clusters]
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


def _run(command: list[str], clusters: list[Cluster], gpus: list[str], grace: float) -> int:
    came: list[int] = []
    before = {each: signal.signal(each, lambda number, _: came.append(number)) for each in _ENDING}
    processes: list[TaskProcess] = []
    try:
        for cluster, own_gpus in zip(clusters, gpus, strict=True):
            processes.append(TaskProcess(command, cluster, own_gpus))
        return supervise(processes, grace, came)
    finally:
        for process in processes:
            process.close()
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == '__main__':
    sys.exit(run_program(main))
