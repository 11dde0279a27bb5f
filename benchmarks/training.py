"""Measure the speed of training: data, the Estimator's loop, cached features, and Keras.

Four parts, each a table. `data`: steps on noise from memory and on converted photos. `loop`: the
Estimator with all hooks of a run beside a bare loop over the same graph and batch. `features`: one
training from start to end, on images and on features that are computed once. `keras`: one training
from photos to accuracy, by this project and by Keras.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.machine import describe_machine
from benchmarks.rates import format_table
from benchmarks.stand_ins import Inputs, find_inputs
from benchmarks.whole_runs import (
    cache_table,
    conversion_words,
    measure_cache,
    measure_peer,
    peer_table,
    warm_up,
    watch,
)
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow

if TYPE_CHECKING:
    from benchmarks.step_rates import Case

PARTS = ('data', 'loop', 'features', 'keras')


def main(argv: list[str]) -> int:
    """Measure the parts that were asked for; print each table as soon as it is complete."""
    args = _parser().parse_args(argv)
    quiet_tensorflow(verbose=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = find_inputs(args.photos, args.images, args.module, args.image_size, folder)
        print(inputs.described)
        for text in _tables(args, inputs, folder):
            print(f'\n{text}', flush=True)
    print(f'\n{describe_machine()}')
    return 0


def _tables(args: argparse.Namespace, inputs: Inputs, folder: Path) -> Iterator[str]:
    size = f'batches of {args.batch_size}'
    rounds = f'{args.rounds} rounds of {args.seconds:g} s'
    data_dir = folder / 'converted'
    if {'data', 'features'} & set(args.parts):
        watch(conversion_words(inputs.photos, data_dir))
    if 'data' in args.parts:
        from benchmarks.step_rates import measure_data

        cases = [case for case in _cases(args, inputs) if not case.head_only]
        rows = measure_data(data_dir, cases, args.seconds, args.rounds)
        table = format_table(rows, 'synthetic', batch_size=args.batch_size)
        yield f'data: {size}, medians of {rounds}\n{table}'
    if 'loop' in args.parts:
        from benchmarks.step_rates import measure_loop

        rows = measure_loop(_cases(args, inputs), args.seconds, args.rounds)
        table = format_table(rows, 'bare loop', batch_size=args.batch_size)
        yield f'loop: {size}, medians of {rounds}\n{table}'
    flags = {
        'model': 'hub',
        'module': inputs.module,
        'image_size': inputs.image_size,
        'train_batch_size': args.batch_size,
        'learning_rate': args.learning_rate,
        'dropout_rate': args.dropout_rate,
    }
    if {'features', 'keras'} & set(args.parts):
        warm_up(folder / 'compiled')
    if 'features' in args.parts:
        flags['train_epochs'] = args.feature_epochs
        found = measure_cache(data_dir, folder, flags, args.runs)
        yield f'features: {args.feature_epochs} epochs of {size}\n{cache_table(found)}'
    if 'keras' in args.parts:
        flags['train_epochs'] = args.epochs
        found = measure_peer(inputs.photos, folder, flags, args.runs)
        yield f'keras: {args.epochs} epochs of {size}\n{peer_table(found)}'


def _cases(args: argparse.Namespace, inputs: Inputs) -> list[Case]:
    """Return the models whose steps are measured."""
    from benchmarks.step_rates import Case

    batch: dict[str, Any] = {'train_batch_size': args.batch_size}
    hub = batch | {'model': 'hub', 'module': inputs.module, 'image_size': inputs.image_size}
    return [
        Case('simple', batch | {'model': 'simple', 'image_size': args.image_size}),
        Case('hub, frozen', hub),
        Case('head on features', hub, head_only=True),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.training',
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add('--parts', nargs='+', choices=PARTS, default=PARTS, help='what to measure')
    add('--photos', type=Path, help='folder with train/ and test/; none: photos are drawn')
    add('--images', type=int, default=640, help='photos to draw, a fifth of them for the test')
    add('--module', help='TF-Hub module that takes images; none: a small one is made')
    add('--image_size', type=int, default=224, help='pixels that a model is fed')
    add('--batch_size', type=int, default=32, help='images in a batch')
    add('--seconds', type=float, default=3.0, help='of one measurement of data and loop')
    add('--rounds', type=int, default=5, help='measurements of each, for data and loop')
    add('--feature_epochs', type=int, default=5, help='passes over the photos, for features')
    add('--epochs', type=int, default=30, help='passes over the photos, for keras')
    add('--runs', type=int, default=1, help='whole runs of each, for features and keras')
    add('--learning_rate', type=float, default=3e-3, help='of the head, for features and keras')
    add('--dropout_rate', type=float, default=0.2, help='of the features, for features and keras')
    return parser


if __name__ == '__main__':
    sys.exit(run_program(main, sys.argv[1:]))
