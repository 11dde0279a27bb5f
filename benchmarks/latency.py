"""Measure how long a person waits for help, errors, tables and the class of one image.

Two tables: programs that need no TensorFlow, from their start to their end, beside a Python that
does nothing; and `run.py predict` on one image, with where its time goes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import tqdm

from benchmarks.machine import describe_machine
from benchmarks.whole_runs import ROOT, conversion_words, run_words, warm_up, watch
from library.errors import ResourceError
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow

REFERENCE = 'python'
# Seconds that a person does not notice; what the first table should stay under.
TARGET = 0.3
# Of the tables' first column.
_WIDTH = 28


def main(argv: list[str]) -> int:
    """Measure and print both tables."""
    args = _parser().parse_args(argv)
    quiet_tensorflow(verbose=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warm_up(folder / 'compiled')
        model_dir, image = _run_and_image(args, folder)
        programs = {
            REFERENCE: (['-c', 'pass'], 0),
            'run.py --help': (['run.py', '--help'], 0),
            'run.py --explain': (['run.py', '--explain'], 0),
            'run.py, a wrong flag': (['run.py', '--learning_rat', '1'], 2),
            'run.py, no data': (['run.py', '--data_dir', folder / 'nothing'], 2),
            'run.py compare, one run': (['run.py', 'compare', model_dir], 0),
        }
        print(start_table(measure_programs(programs, args.rounds)))
        words = ['run.py', 'predict', '--model_dir', model_dir, '--predict_input', image]
        whole = measure_programs({'run.py predict': (words, 0)}, args.rounds)['run.py predict']
        stages = measure_stages(model_dir, image, args.rounds, args.repeats)
    print(f'\n{stage_table(whole, stages)}\n\n{describe_machine()}')
    return 0


def measure_programs(
    programs: Mapping[str, tuple[Sequence[object], int]], rounds: int
) -> dict[str, list[float]]:
    """Time each program once a round, in turns.

    Args:
      programs: by name, the words after `python` and the exit code that is right.
      rounds: runs of each.

    Raises:
      ResourceError: a program ended with another exit code.
    """
    found: dict[str, list[float]] = {name: [] for name in programs}
    for _ in tqdm.trange(rounds, unit='round', disable=None):
        for name, (words, expected) in programs.items():
            started = time.perf_counter()
            _call(words, expected)
            found[name].append(time.perf_counter() - started)
    return found


def measure_stages(
    model_dir: Path, image: Path, rounds: int, repeats: int
) -> dict[str, list[float]]:
    """Time each stage of one prediction, in a new process each round."""
    found: dict[str, list[float]] = {}
    for _ in tqdm.trange(rounds, unit='round', disable=None):
        text = _call(['-m', 'benchmarks.predict_stages', model_dir, image, repeats], 0)
        for name, seconds in json.loads(text.splitlines()[-1]).items():
            found.setdefault(name, []).append(seconds)
    return found


def start_table(found: Mapping[str, Sequence[float]]) -> str:
    """Format a line for each program: median, and how much of it is not Python's own start."""
    base = statistics.median(found[REFERENCE])
    lines = [f'{"":{_WIDTH}}   seconds  beyond {REFERENCE} (target: {TARGET} s in all)']
    for name, seconds in found.items():
        median = statistics.median(seconds)
        lines.append(f'{name:{_WIDTH}}  {median:8.2f}  {median - base:.2f}')
    return '\n'.join(lines)


def stage_table(whole: Sequence[float], stages: Mapping[str, Sequence[float]]) -> str:
    """Format the whole program, then its stages, each with its share."""
    total = statistics.median(whole)
    lines = [
        f'{"":{_WIDTH}}   seconds  share',
        f'{"run.py predict, one image":{_WIDTH}}  {total:8.3f}',
    ]
    for name, seconds in stages.items():
        median = statistics.median(seconds)
        share = '' if name == 'again' else f'  {median / total:.2f}'
        shown = 'each further answer' if name == 'again' else name
        lines.append(f'  {shown:{_WIDTH - 2}}  {median:8.3f}{share}')
    return '\n'.join(lines)


def _call(words: Sequence[object], expected: int) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != expected:
        last = (done.stderr.splitlines() or [''])[-1]
        raise ResourceError(f'{words[0]} ended with {done.returncode}: {last}')
    return done.stdout


def _run_and_image(args: argparse.Namespace, folder: Path) -> tuple[Path, Path]:
    """Return the given run and image; without them, train briefly on drawn photos."""
    from benchmarks.stand_ins import draw_splits, make_module

    photos, run = folder / 'photos', folder / 'run'
    draw_splits(photos, args.images)
    image = args.image or next(photos.rglob('*.jpg'))
    if args.model_dir is not None:
        return args.model_dir.resolve(), image.resolve()
    make_module(folder / 'module', args.image_size)
    watch(conversion_words(photos, folder / 'data'))
    flags = {'module': folder / 'module', 'train_batch_size': 8, 'train_epochs': 1}
    watch(run_words(folder / 'data', run, flags))
    return run / 'checkpoints', image.resolve()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.latency',
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add('--model_dir', type=Path, help='a trained run; none: a small one is trained')
    add('--image', type=Path, help='to classify; none: one is drawn')
    add('--images', type=int, default=40, help='photos to draw')
    add('--image_size', type=int, default=224, help='pixels that the small model is fed')
    add('--rounds', type=int, default=5, help='runs of each program')
    add('--repeats', type=int, default=20, help='further answers of one process')
    return parser


if __name__ == '__main__':
    sys.exit(run_program(main, sys.argv[1:]))
