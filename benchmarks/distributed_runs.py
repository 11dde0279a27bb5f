"""Measure the speed of a training run on given devices and tasks, in processes of its own.

The speed follows from the run's own metrics.jsonl, which holds the step and the time; starting does
not count, nor does what comes in the first moments. A run is stopped once it was measured. What its
tasks send is counted on the loopback interface, where other programs' traffic counts too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from benchmarks.communication import Trained
from benchmarks.rates import Measurement
from library.errors import ResourceError
from library.extras import find_extras

ROOT = Path(__file__).resolve().parents[1]
# Longer than any measurement: no checkpoint falls into it.
NEVER = 10**9
# Part of a measurement's time that does not count: buffers fill, and workers start one by one.
WARM_UP = 0.5
# Seconds between two looks at the metrics, and for a process to end.
_LOOK, _END = 0.1, 30.0
# Where Linux counts bytes and packets of each interface.
NETWORK = Path('/proc/net/dev')


@dataclass(frozen=True)
class SetUp:
    """Devices and tasks that train together.

    Attributes:
      name: stands in the table.
      flags: of run.py.
      tasks: of extras.cluster.local_cluster; none means one process without a cluster.
      shares: its train_batch_size as a multiple of --batch_size.
    """

    name: str
    flags: Mapping[str, object] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    shares: int = 1

    def command(self, flags: Mapping[str, object]) -> list[str]:
        """Return the command that starts a run with this Python.

        Args:
          flags: of run.py, besides its own.
        """
        launch = ['-m', 'extras.cluster.local_cluster', *self.tasks, '--'] if self.tasks else []
        words = [f'--{name}={value}' for name, value in {**flags, **self.flags}.items()]
        return [*launch, 'run.py', 'train', *words]


ONE = SetUp('one device', {'num_gpus': 0})
_PS = ('--workers', '1', '--ps', '1')
_IN_ONE_PROCESS = {
    'one': ONE,
    'mirrored': SetUp('2 replicas, same batch', {'cpu_replicas': 2}),
    'mirrored_double': SetUp('2 replicas, each a batch', {'cpu_replicas': 2}, shares=2),
}
_IN_A_CLUSTER = {
    'multi_worker': SetUp(
        'chief + worker, each a batch', {'num_gpus': 0}, ('--workers', '1'), shares=2
    ),
    # A step is one worker's, and takes one worker's batch.
    'asynchronous': SetUp('chief + worker + ps', {'num_gpus': 0}, _PS),
    'synchronous': SetUp(
        'chief + worker + ps, in sync', {'num_gpus': 0, 'sync_replicas': 'true'}, _PS, shares=2
    ),
}
_HAS_CLUSTER = 'cluster' in {extra.name for extra in find_extras().all}
SETUPS = _IN_ONE_PROCESS | (_IN_A_CLUSTER if _HAS_CLUSTER else {})


@dataclass(frozen=True)
class Case:
    """What is trained.

    Attributes:
      name: stands in the table.
      flags: of run.py.
      metrics_steps: steps between two looks at the clock.
    """

    name: str
    flags: Mapping[str, object]
    metrics_steps: int = 1


CASES = {
    'head': Case(
        'head on features', {'cache_features': 'true', 'augmentation': 'false'}, metrics_steps=20
    ),
    'frozen': Case('hub, frozen', {'cache_features': 'false'}),
    'fine_tuned': Case('hub, fine-tuned', {'fine_tuning': 'true'}),
}


@dataclass(frozen=True)
class Measured:
    """What a run did.

    Attributes:
      images: how many, and in how many seconds.
      sent: bytes of a step between all tasks; None without a cluster, and where nobody counts them.
      trained: what each step changes.
    """

    images: Measurement
    sent: float | None
    trained: Trained


def measure_run(
    setup: SetUp, case: Case, flags: Mapping[str, object], seconds: float, limit: float
) -> Measured:
    """Start a run, measure it and stop it.

    Args:
      setup: devices and tasks.
      case: what to train.
      flags: of run.py, besides those; train_batch_size is the batch of one device.
      seconds: least length of what is measured.
      limit: seconds from the start of the program until it must be measured.

    Raises:
      ResourceError: the run ended, or took too long; the text is its last line.
    """
    batch_size = int(str(flags['train_batch_size'])) * setup.shares
    with tempfile.TemporaryDirectory() as folder:
        model_dir = Path(folder, 'checkpoints')
        words = setup.command(
            {
                'config_file': ROOT / 'project.yaml',
                'hyperparameter_file': ROOT / 'hyperparameters.yaml',
                'model_dir': model_dir,
                'best_model_dir': Path(folder, 'best'),
                'train_steps': NEVER,
                'save_checkpoints_steps': NEVER,
                'hooks': 'metrics,environment',
                'metrics_steps': case.metrics_steps,
                **flags,
                **case.flags,
                'train_batch_size': batch_size,
            }
        )
        with _started(words, Path(folder, 'log')) as watch:
            steps, took = watch.until_measured(model_dir / 'metrics.jsonl', seconds, limit)
        counts = json.loads((model_dir / 'environment.json').read_bytes())['starts'][-1]
    return Measured(
        Measurement(steps * batch_size, took),
        watch.bytes_per_step() if setup.tasks else None,
        Trained(case.name, counts['parameters']['trained']),
    )


def loopback_bytes() -> int | None:
    """Read how many bytes this machine has sent to itself; None where the system does not say."""
    if not NETWORK.exists():
        return None
    for line in NETWORK.read_text().splitlines():
        name, _, counts = line.partition(':')
        if name.strip() == 'lo':
            return int(counts.split()[0])
    return None


def points_in(lines: Iterable[bytes], warm_up: float) -> list[tuple[int, float]]:
    """Return step and time, in seconds, of each line after the warm-up.

    Args:
      lines: of metrics.jsonl; one that is not complete yet does not count.
      warm_up: seconds from the first line on that do not count.
    """
    points = []
    for line in lines:
        if line.endswith(b'\n'):
            found = json.loads(line)
            points.append((found['step'], datetime.fromisoformat(found['time']).timestamp()))
    return [(step, at) for step, at in points if at >= points[0][1] + warm_up]


class _Watch:
    """A running program and what it printed."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, name: str):
        self._process, self._log, self._name = process, log, name
        self._started = time.monotonic()
        # Step and loopback bytes, at each look after the warm-up.
        self._sent: list[tuple[int, int]] = []

    def until_measured(self, metrics: Path, seconds: float, limit: float) -> tuple[int, float]:
        """Wait until the steps after the warm-up took this long; return their count and seconds."""
        while True:
            ended = self._process.poll() is not None
            sent = loopback_bytes()
            lines = metrics.read_bytes().splitlines(keepends=True) if metrics.exists() else []
            points = points_in(lines, WARM_UP * seconds)
            if points:
                steps, took = points[-1][0] - points[0][0], points[-1][1] - points[0][1]
                if sent is not None:
                    self._sent.append((points[-1][0], sent))
                if steps and took >= seconds:
                    return steps, took
            if ended:
                raise ResourceError(
                    f'{self._name} ended with {self._process.returncode}: {self._last_line()}'
                )
            if time.monotonic() > self._started + limit:
                raise ResourceError(
                    f'{self._name}: not measured after {limit:g} s (--limit): {self._last_line()}'
                )
            time.sleep(_LOOK)

    def bytes_per_step(self) -> float | None:
        """Return what passed the loopback interface per step of the measurement."""
        if not self._sent or self._sent[-1][0] == self._sent[0][0]:
            return None
        steps = self._sent[-1][0] - self._sent[0][0]
        return (self._sent[-1][1] - self._sent[0][1]) / steps

    def _last_line(self) -> str:
        lines = self._log.read_text(errors='backslashreplace').splitlines()
        errors = [line for line in lines if 'error: ' in line]
        return (errors[:1] or lines[-1:] or ['it said nothing'])[0]


@contextmanager
def _started(words: Sequence[str], log: Path) -> Iterator[_Watch]:
    """Start a program, and end it together with what it started."""
    name = words[1] if words[0] == '-m' else words[0]
    environment = {key: value for key, value in os.environ.items() if key != 'TF_CONFIG'}
    with (
        log.open('wb') as output,
        subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield _Watch(process, log, name)
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask twice: the first time saves a checkpoint, which nobody needs; the second ends at once."""
    for patience in (1.0, _END):
        process.terminate()
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue
    process.kill()
