"""Time whole programs, from their start, that train a head on a frozen module.

On images, on features that are computed once, and with Keras.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import tqdm

from library.errors import ResourceError

ROOT = Path(__file__).resolve().parents[1]
OURS, CONVERTED, KERAS = 'this project', '  photos converted before', 'Keras'
# Of the tables' first column.
_WIDTH = 25
MAX_EDGE = 384  # as in the README
# Each is run after the other, so the last finds what the one before it computed.
VARIANTS = {
    'images': 'false',
    'features, computed first': 'true',
    'features, there already': 'true',
}
# What run.py prints after an evaluation, and the Keras program too.
EVALUATION = re.compile(r'step \d+: .*?\baccuracy (\d\.\d+)')

# What the programs import sooner or later.
_IMPORTS = """
import tensorflow as tf, tensorflow_hub, convert_dataset, library.modes.train, project.model_fn
tf.keras.Model, tf.estimator.Estimator
"""


@dataclass(frozen=True)
class Evaluation:
    """When it was done, in seconds from the start of the program, and what it found."""

    seconds: float
    accuracy: float


@dataclass(frozen=True)
class WholeRun:
    """A program from start to end.

    Attributes:
      evaluations: in order; training has at least one, a conversion none.
      seconds: from start to end.
    """

    evaluations: tuple[Evaluation, ...]
    seconds: float

    @property
    def first(self) -> float:
        """Return the seconds to the end of the first evaluation."""
        return self.evaluations[0].seconds

    @property
    def cycle(self) -> float:
        """Return the median seconds from one evaluation to the next, or to the only one."""
        times = [each.seconds for each in self.evaluations]
        cycles = [later - earlier for earlier, later in itertools.pairwise(times)]
        return statistics.median(cycles or times)

    @property
    def best(self) -> float:
        """Return the highest accuracy of any evaluation."""
        return max(each.accuracy for each in self.evaluations)

    def until(self, accuracy: float) -> float:
        """Return the seconds to the first evaluation at least this good; inf if there is none."""
        found = (each.seconds for each in self.evaluations if each.accuracy >= accuracy)
        return next(found, float('inf'))

    def later(self, seconds: float) -> WholeRun:
        """Return the same run as if it had started this many seconds later."""
        evaluations = (replace(each, seconds=each.seconds + seconds) for each in self.evaluations)
        return WholeRun(tuple(evaluations), self.seconds + seconds)


def warm_up(folder: Path) -> None:
    """Keep compiled modules in FOLDER from here on, and compile those of all programs.

    Any second start finds them, unless Python may not write them, as in many containers.
    """
    os.environ.pop('PYTHONDONTWRITEBYTECODE', None)
    os.environ['PYTHONPYCACHEPREFIX'] = str(folder)
    watch(['-c', _IMPORTS])


def watch(words: Sequence[object]) -> WholeRun:
    """Run `python WORDS...` to its end and note the time of each evaluation that it prints.

    Raises:
      ResourceError: it failed; the text is its last line.
    """
    started = time.perf_counter()
    evaluations, line = [], ''
    with subprocess.Popen(
        [sys.executable, *map(str, words)],
        cwd=ROOT,
        env={**os.environ, 'PYTHONUNBUFFERED': '1'},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='backslashreplace',
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := EVALUATION.match(line):
                    elapsed = time.perf_counter() - started
                    evaluations.append(Evaluation(elapsed, float(found[1])))
        except BaseException:
            # Otherwise a signal to this process alone would wait for the other one's end.
            process.terminate()
            raise
    if process.returncode:
        name = next(word for word in words if word != '-m')
        raise ResourceError(f'{name} ended with {process.returncode}: {line.strip()}')
    return WholeRun(tuple(evaluations), time.perf_counter() - started)


def measure_cache(
    data_dir: Path, folder: Path, flags: Mapping[str, object], rounds: int
) -> dict[str, list[WholeRun]]:
    """Time the same training on images, on features computed first, and on cached features.

    Args:
      data_dir: converted images.
      folder: where the runs go.
      flags: of run.py, which train a head on a frozen module.
      rounds: runs of each, in turns.
    """
    found: dict[str, list[WholeRun]] = {}
    for number in tqdm.trange(rounds, unit='round', disable=None):
        # Features are stored with the images: a copy of these has none yet.
        data = shutil.copytree(data_dir, folder / f'data_{number}')
        for name, cached in VARIANTS.items():
            run_folder = folder / f'run_{number}' / name
            words = run_words(data, run_folder, {**flags, 'cache_features': cached})
            found.setdefault(name, []).append(watch(words))
    return found


def measure_peer(
    photos: Path, folder: Path, flags: Mapping[str, object], rounds: int
) -> dict[str, list[WholeRun]]:
    """Time the same training by this project, with and without its conversion, and by Keras.

    Args:
      photos: with train/ and test/, a folder per class in each.
      folder: where converted images and runs go.
      flags: of run.py, which train a head on a frozen module.
      rounds: runs of each, in turns.
    """
    found: dict[str, list[WholeRun]] = {OURS: [], CONVERTED: [], KERAS: []}
    for number in tqdm.trange(rounds, unit='round', disable=None):
        data = folder / f'peer_{number}' / 'data'
        convert = watch(conversion_words(photos, data)).seconds
        words = run_words(data, data.parent, {**flags, 'cache_features': 'true'})
        found[CONVERTED].append(watch(words))
        found[OURS].append(found[CONVERTED][-1].later(convert))
        found[KERAS].append(watch(keras_words(photos, flags)))
    return found


def cache_table(found: Mapping[str, Sequence[WholeRun]]) -> str:
    """Format a line for each way: medians, and how many times as fast as on images."""
    lines = [f'{"":{_WIDTH}}   total  first evaluation  then each  best accuracy  times as fast']
    images = found[next(iter(VARIANTS))]
    for name, runs in found.items():
        pairs = zip(runs, images, strict=True)
        ratio = statistics.median(base.seconds / own.seconds for own, base in pairs)
        best = statistics.median(run.best for run in runs)
        lines.append(
            f'{name:{_WIDTH}}  {_median(run.seconds for run in runs)}  '
            f'{_median((run.first for run in runs), 16)}  '
            f'{_median((run.cycle for run in runs), 9)}  {best:13.3f}  {ratio:13.1f}'
        )
    return '\n'.join(lines)


def peer_table(found: Mapping[str, Sequence[WholeRun]]) -> str:
    """Format a line per program, with the time to the accuracy that the worse one reaches."""
    lines = [
        f'{"":{_WIDTH}}   total  first evaluation  then each  best accuracy  to the same accuracy'
    ]
    pairs = list(zip(found[OURS], found[KERAS], strict=True))
    shared = [min(ours.best, keras.best) for ours, keras in pairs]
    times = {
        name: [run.until(accuracy) for run, accuracy in zip(runs, shared, strict=True)]
        for name, runs in found.items()
    }
    for name, runs in found.items():
        best = statistics.median(run.best for run in runs)
        lines.append(
            f'{name:{_WIDTH}}  {_median(run.seconds for run in runs)}  '
            f'{_median((run.first for run in runs), 16)}  '
            f'{_median((run.cycle for run in runs), 9)}  {best:13.3f}  {_median(times[name], 20)}'
        )
    totals = [keras.seconds / ours.seconds for ours, keras in pairs]
    same = [keras / ours for ours, keras in zip(times[OURS], times[KERAS], strict=True)]
    lines.append(
        f'{KERAS} takes {statistics.median(totals):.1f} times as long in all, and '
        f'{statistics.median(same):.1f} times as long to accuracy {statistics.median(shared):.3f}'
    )
    return '\n'.join(lines)


def conversion_words(photos: Path, data_dir: Path) -> list[object]:
    """Return the command that converts train/ and test/ of a folder."""
    words = ['convert_dataset.py', '--dataset_dir', photos, '--tfrecord_dir', data_dir]
    return [*words, '--max_edge', MAX_EDGE]


def run_words(data_dir: Path, folder: Path, flags: Mapping[str, object]) -> list[object]:
    """Return the command of one training run in FOLDER, with an evaluation after each epoch."""
    values = {
        'data_dir': data_dir,
        'model_dir': folder / 'checkpoints',
        'best_model_dir': folder / 'best',
        'epochs_between_evals': 1,
        'eval_batch_size': flags['train_batch_size'],
        # What the Keras program does not have either.
        'augmentation': 'false',
        'l2_regularization': 0,
        **flags,
    }
    return ['run.py', *(f'--{name}={value}' for name, value in values.items())]


def keras_words(photos: Path, flags: Mapping[str, object]) -> list[object]:
    """Return the command of the same training with Keras."""
    return [
        *('-m', 'benchmarks.keras_peer', '--photos', photos),
        *(f'--{name}={value}' for name, value in flags.items() if name != 'model'),
    ]


def _median(seconds: Iterable[float], width: int = 6) -> str:
    return f'{statistics.median(seconds):{width - 2}.1f} s'
