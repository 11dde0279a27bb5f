"""Measure images/s of convert_dataset.py for each number of workers, beside a bare Pillow loop.

The loop does on one core what no conversion can do without: open, decode, shrink and encode each
image. N workers should come near N times its rate; the ratio says how near. The time to start
workers counts, TensorFlow's import does not.
"""

from __future__ import annotations

import argparse
import functools
import io
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from benchmarks.machine import describe_machine
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
ENDINGS = ('.jpg', '.jpeg', '.png')


def main(argv: list[str]) -> int:
    """Measure the loop and every number of workers in turns and print the table."""
    args = _parser().parse_args(argv)
    quiet_tensorflow(verbose=False)
    with tempfile.TemporaryDirectory() as folder:
        photos = args.photos
        if photos is None:
            # Late: spawned workers import this module again, and need no NumPy.
            from benchmarks.photos import draw_folder

            photos = Path(folder, 'photos')
            draw_folder(photos, args.images, args.width, args.width * 3 // 4)
        rows = measure(photos, Path(folder), args.max_edge, args.workers, args.rounds)
    print(f'photos to {args.max_edge} px at quality {QUALITY}, medians of {args.rounds} rounds')
    print(format_table(rows, f'{REFERENCE} x workers'))
    print(describe_machine())
    return 0


def measure(photos: Path, folder: Path, max_edge: int, workers: int, rounds: int) -> list[Row]:
    """Measure the loop and 1 to `workers` workers; shards go to FOLDER."""
    import library.records.example  # noqa: F401  (imports TensorFlow, which is not to be measured)

    paths = [path for path in sorted(photos.rglob('*')) if path.suffix.lower() in ENDINGS]
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
    from PIL import Image

    with measured(len(paths)) as measurement:
        for path in paths:
            with Image.open(path) as image:
                scale = min(1.0, max_edge / max(image.size))
                size = (round(image.width * scale), round(image.height * scale))
                image.draft('RGB', size)
                small = image.convert('RGB').resize(size, Image.Resampling.HAMMING)
                small.save(io.BytesIO(), 'JPEG', quality=QUALITY)
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
    parser.add_argument('--images', type=int, default=1600, help='photos to draw')
    parser.add_argument('--width', type=int, default=640, help='of a drawn photo; 3/4 of it high')
    parser.add_argument('--max_edge', type=int, default=384, help='longest edge of a stored photo')
    parser.add_argument(
        '--workers', type=int, default=count_cores(), help='largest number of workers'
    )
    parser.add_argument('--rounds', type=int, default=3, help='measurements of each')
    return parser


if __name__ == '__main__':
    sys.exit(run_program(main, sys.argv[1:]))
