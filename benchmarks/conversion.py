"""Images/s of convert_dataset.py beside a bare Pillow loop, in two tables.

The first takes whole commands, from typing to the prompt: one that divides the photos itself, and
two that convert a half each. The loop runs in as many processes. The second takes every number of
workers beside a loop on one core, without the start of the program: N workers should come near N
times its rate.
"""

from __future__ import annotations

import argparse
import functools
import io
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.pillow_loop import find_images, shrink
from benchmarks.rates import (
    Measurement,
    Row,
    format_table,
    measure_in_turns,
    measured,
    to_rows,
)
from library.cores import count_cores
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow

REFERENCE = 'Pillow loop'
QUALITY = 80
ROOT = Path(__file__).resolve().parents[1]


def main(argv: list[str]) -> int:
    """Measures everything in turns and prints the tables."""
    args = _parser().parse_args(argv)
    quiet_tensorflow(verbose=False)
    with tempfile.TemporaryDirectory() as folder:
        photos = args.photos
        if photos is None:
            # Late: spawned workers import this module again, and need no NumPy.
            from benchmarks.photos import draw_folder

            photos = Path(folder, 'photos')
            draw_folder(photos, args.images, args.width, args.width * 3 // 4)
        commands = Commands(photos, Path(folder), args.max_edge, args.workers)
        calls = commands.calls(args.earlier)
        measure_in_turns(calls, 1)  # fills the disk's cache, and compiles what was not
        found = measure_in_turns(calls, args.rounds)
        rows = measure(photos, Path(folder), args.max_edge, args.workers, args.rounds)
    print(f'photos to {args.max_edge} px at quality {QUALITY}, medians of {args.rounds} rounds')
    title = f'{REFERENCE} in {args.workers} processes'
    print(format_table(to_rows(found, REFERENCE), title, with_cpu=True))
    print(f'largest process of a conversion: {commands.peak_bytes / 1e6:.0f} MB')
    print(format_table(rows, f'{REFERENCE} x workers'))
    print(describe_machine())
    print(f'load of the last 15 minutes: {os.getloadavg()[2]:.1f}')
    return 0


class Commands:
    """Whole commands over one folder of photos; each writes to a new folder.

    Attributes:
      peak_bytes: of memory, of the largest process of any conversion so far.
    """

    def __init__(self, photos: Path, folder: Path, max_edge: int, workers: int):
        """Copy each second photo into one half, the others into the other one.

        Args:
          photos: a folder per class.
          folder: for what is written.
          max_edge: longest edge of a stored photo.
          workers: processes that decode.
        """
        self._paths = find_images(photos)
        self._photos, self._max_edge, self._workers = photos, max_edge, workers
        self._fresh = (folder / f'command_{number}' for number in itertools.count())
        self._halves = {name: folder / 'halves' / name for name in ('train', 'test')}
        for path, half in zip(self._paths, itertools.cycle(self._halves.values()), strict=False):
            copy = half / path.relative_to(photos)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        self.peak_bytes = 0

    def calls(self, earlier: Path | None = None) -> dict[str, Callable[[], Measurement]]:
        """Return what to measure by name; `earlier` is the folder of another version."""
        found = {
            REFERENCE: self._loop,
            'one command': functools.partial(self._one, ROOT),
            'two commands': functools.partial(self._two, ROOT),
        }
        if earlier is not None:
            found['one command, earlier'] = functools.partial(self._one, earlier)
            found['two commands, earlier'] = functools.partial(self._two, earlier)
        return found

    def _loop(self) -> Measurement:
        numbers = (self._max_edge, QUALITY, self._workers)
        command = ['-m', 'benchmarks.pillow_loop', self._photos.resolve(), *numbers]
        return self._timed(ROOT, [command])

    def _one(self, root: Path) -> Measurement:
        return self._converted(root, [(self._photos, ['--splits', 'train=0.8,test=0.2'])])

    def _two(self, root: Path) -> Measurement:
        halves = self._halves.items()
        named = [(half, ['--tfrecord_filename', name]) for name, half in halves]
        return self._converted(root, named)

    def _converted(self, root: Path, parts: Sequence[tuple[Path, list[str]]]) -> Measurement:
        """Convert these photos with these words each."""
        commands: list[list[object]] = []
        for photos, words in parts:
            command = ['convert_dataset.py', '--dataset_dir', photos.resolve(), *words]
            command += ['--tfrecord_dir', next(self._fresh), '--max_edge', self._max_edge]
            commands.append([*command, '--workers', self._workers])
        return self._timed(root, commands, converts=root == ROOT)

    def _timed(
        self, root: Path, commands: Sequence[Sequence[object]], converts: bool = False
    ) -> Measurement:
        """Run programs one after the other; their children's processor time counts as well."""
        measurement = Measurement(len(self._paths))
        # Where a container forbids Python to keep what it compiled, each start would compile anew.
        environment = {**os.environ, 'PYTHONDONTWRITEBYTECODE': ''}
        started = time.perf_counter()
        for words in commands:
            argv = [sys.executable, *map(str, words)]
            process = subprocess.Popen(argv, cwd=root, env=environment, stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, argv)
            measurement.cpu_seconds += used.ru_utime + used.ru_stime
            if converts:  # Linux counts kibibytes
                self.peak_bytes = max(self.peak_bytes, used.ru_maxrss * 1024)
        measurement.seconds = time.perf_counter() - started
        return measurement


def measure(photos: Path, folder: Path, max_edge: int, workers: int, rounds: int) -> list[Row]:
    """Rates of the loop and of 1 to `workers` workers; shards go to FOLDER."""
    paths = find_images(photos)
    fresh = (folder / f'records_{number}' for number in itertools.count())
    calls: dict[str, Callable[[], Measurement]] = {
        REFERENCE: functools.partial(_loop, paths, max_edge)
    }
    times = {}
    for count in range(1, workers + 1):
        name = f'{count} worker{"s" if count > 1 else ""}'
        times[name] = count
        calls[name] = functools.partial(_convert, photos, len(paths), fresh, max_edge, count)
    return to_rows(measure_in_turns(calls, rounds), REFERENCE, times)


def _loop(paths: Sequence[Path], max_edge: int) -> Measurement:
    with measured(len(paths)) as measurement:
        for path in paths:
            shrink(path, max_edge, QUALITY)
    return measurement


def _convert(
    photos: Path, images: int, fresh: Iterator[Path], max_edge: int, workers: int
) -> Measurement:
    import convert_dataset

    words = ['--dataset_dir', photos, '--tfrecord_dir', next(fresh), '--tfrecord_filename', 'all']
    words += ['--max_edge', max_edge, '--quality', QUALITY, '--workers', workers]
    with redirect_stdout(io.StringIO()), measured(images) as measurement:
        convert_dataset.main([str(word) for word in words])
    return measurement


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.conversion',
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('--photos', type=Path, help='folder per class; none: photos are drawn')
    parser.add_argument('--images', type=int, default=1000, help='photos to draw')
    parser.add_argument('--width', type=int, default=512, help='of a drawn photo; 3/4 of it high')
    parser.add_argument('--max_edge', type=int, default=384, help='longest edge of a stored photo')
    parser.add_argument(
        '--workers', type=int, default=count_cores(), help='largest number of workers'
    )
    parser.add_argument('--rounds', type=int, default=3, help='measurements of each')
    parser.add_argument('--earlier', type=Path, help='folder of another version, for comparison')
    return parser


if __name__ == '__main__':
    sys.exit(run_program(main, sys.argv[1:]))
