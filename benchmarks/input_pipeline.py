"""Measure images/s of the input pipeline by stage, beside TensorFlow's own JPEG decoder.

The reference is the least that can be done: read the same records and decode each JPEG in full,
with as many parallel calls, in order, in batches. Training and evaluation are project.input_fn
itself.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.machine import describe_machine
from benchmarks.photos import draw_folder
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

if TYPE_CHECKING:
    import tensorflow as tf

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = 'bare decode'
CROP_ONLY = {
    'random_flip': 'false',
    'random_flip_vertical': 'false',
    'random_brightness': 0,
    'random_contrast': 0,
    'random_saturation': 0,
}
# Part of a measurement that does not count: the chain fills its buffers first.
WARM_UP = 0.5


def main(argv: list[str]) -> int:
    """Convert photos, measure each stage in turns and print the table."""
    args = _parser().parse_args(argv)
    quiet_tensorflow(verbose=False)
    with tempfile.TemporaryDirectory() as folder:
        photos = args.photos
        if photos is None:
            photos = Path(folder, 'photos')
            draw_folder(photos, args.images)
        data_dir = Path(folder, 'dataset')
        _convert(photos, data_dir, args.max_edge)
        rows = measure(data_dir, args.image_size, args.batch_size, args.batches, args.rounds)
    print(f'{args.image_size} px from photos of up to {args.max_edge} px, medians of', end=' ')
    print(f'{args.rounds} rounds of {args.batches} batches of {args.batch_size}')
    print(format_table(rows, REFERENCE, with_cpu=True))
    print(describe_machine())
    return 0


def measure(
    data_dir: Path, image_size: int, batch_size: int, batches: int, rounds: int
) -> list[Row]:
    """Measure every stage on DATA_DIR/train."""
    from library.records.split_folders import open_split

    paths = open_split(str(data_dir), 'train').shard_paths
    chain = functools.partial(_chain, data_dir, image_size, batch_size)
    stages = {
        'read': lambda: _records(paths).batch(batch_size),
        REFERENCE: lambda: bare_decode(paths, batch_size),
        'training': lambda: chain('train'),
        'training, crop only': lambda: chain('train', **CROP_ONLY),
        'evaluation': lambda: chain('eval').repeat(),
    }
    feeds = {
        name: functools.partial(_feed, stage, batch_size, batches) for name, stage in stages.items()
    }
    return to_rows(measure_in_turns(feeds, rounds), REFERENCE)


def bare_decode(paths: tuple[str, ...], batch_size: int) -> tf.data.Dataset:
    """Decode whole photos as uint8 [batch, bytes]; one row each, so that sizes may differ."""
    import tensorflow as tf

    from library.inputs.batches import CALLS_PER_CORE
    from library.records.example import parse_example

    def decode(record: tf.Tensor) -> tf.Tensor:
        jpeg = parse_example(record)['jpeg']
        return tf.reshape(tf.io.decode_jpeg(jpeg, 3, dct_method='INTEGER_FAST'), [-1])

    calls = CALLS_PER_CORE * count_cores()
    dataset = _records(paths).map(decode, num_parallel_calls=calls, deterministic=True)
    return dataset.padded_batch(batch_size).prefetch(tf.data.AUTOTUNE)


def _records(paths: tuple[str, ...]) -> tf.data.Dataset:
    import tensorflow as tf

    return tf.data.TFRecordDataset(list(paths)).repeat()


def _chain(
    data_dir: Path, image_size: int, batch_size: int, mode: str, **flags: object
) -> tf.data.Dataset:
    """Build the input of a run with these flags; `mode` is a tf.estimator.ModeKeys."""
    import run

    values = {
        'config_file': ROOT / 'project.yaml',
        'hyperparameter_file': ROOT / 'hyperparameters.yaml',
        'data_dir': data_dir,
        'eval_split': 'train',
        'model_dir': data_dir / 'no_run',
        'model': 'simple',
        'image_size': image_size,
        'train_batch_size': batch_size,
        'eval_batch_size': batch_size,
        # The host's work alone.
        'prefetch_to_device': 'none',
        **flags,
    }
    words = [f'--{name}={value}' for name, value in values.items()]
    return run.open_experiment(['train', *words]).batches(mode)()


def _feed(stage: Callable[[], tf.data.Dataset], batch_size: int, batches: int) -> Measurement:
    """Take some batches, once the chain is under way."""
    elements = iter(stage())
    for _ in range(max(1, round(WARM_UP * batches))):
        next(elements)
    with measured(batches * batch_size) as measurement:
        for _ in range(batches):
            next(elements)
    return measurement


def _convert(photos: Path, data_dir: Path, max_edge: int) -> None:
    import convert_dataset

    words = ['--dataset_dir', photos, '--tfrecord_dir', data_dir / 'train']
    words += ['--tfrecord_filename', 'train', '--max_edge', max_edge]
    with redirect_stdout(sys.stderr):
        convert_dataset.main([str(word) for word in words])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.input_pipeline',
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('--photos', type=Path, help='folder per class; none: photos are drawn')
    parser.add_argument('--images', type=int, default=1024, help='photos to draw')
    parser.add_argument('--max_edge', type=int, default=384, help='longest edge of a stored photo')
    parser.add_argument('--image_size', type=int, default=224, help='pixels that the model is fed')
    parser.add_argument('--batch_size', type=int, default=32, help='images in a batch')
    parser.add_argument('--batches', type=int, default=20, help='batches of one measurement')
    parser.add_argument('--rounds', type=int, default=11, help='measurements of each stage')
    return parser


if __name__ == '__main__':
    sys.exit(run_program(main, sys.argv[1:]))
