"""Measure the speed of training on several devices, and in a cluster, all on this machine.

A table for each kind of training: one device; two replicas in one process; chief and worker; chief,
worker and parameter server. All share the cores of this machine. So the ratios show what working
together costs, and not what more machines would gain. The last table shows what each step sends,
computed from the trained variables; the loopback interface of Linux counts it beside the speeds.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.communication import MEGA, PUBLISHED, Trained, communication_table
from benchmarks.distributed_runs import (
    CASES,
    ONE,
    SETUPS,
    Case,
    Measured,
    SetUp,
    measure_run,
)
from benchmarks.machine import describe_machine
from benchmarks.rates import Measurement, Row, measure_in_turns, to_rows
from benchmarks.stand_ins import find_inputs
from benchmarks.whole_runs import conversion_words, warm_up, watch
from library.cores import count_cores
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow

NOTE = """\
All share {cores} cores: a ratio below 1 is what working together costs; above 1, one device left
cores idle. With a ps and not in sync, a step is one of either worker.

communication: MB of a step; all-reduce: what each replica sends, and receives as much;
parameter servers: what a worker fetches and sends"""


def main(argv: list[str]) -> int:
    """Measure what was asked for, and print the tables."""
    args = _parser().parse_args(argv)
    quiet_tensorflow(verbose=False)
    # Without it there is nothing to compare with.
    setups = [SETUPS[name] for name in SETUPS if name in {'one', *args.setups}]
    cases = [CASES[name] for name in CASES if name in args.cases]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = find_inputs(args.photos, args.images, args.module, args.image_size, folder)
        print(f'{inputs.described}\n', flush=True)
        # Otherwise the first start compiles all of TensorFlow's modules, if none may be kept.
        warm_up(folder / 'compiled')
        watch(conversion_words(inputs.photos, folder / 'data'))
        flags = {
            'data_dir': folder / 'data',
            'model': 'hub',
            'module': inputs.module,
            'image_size': inputs.image_size,
            'train_batch_size': args.batch_size,
        }
        trained = []
        for case in cases:
            table, model = _measure(args, case, setups, flags)
            title = f'{case.name}: medians of {args.rounds} rounds of {args.seconds:g} s'
            print(f'{title}\n{table}\n', flush=True)
            trained.append(model)
    print(NOTE.format(cores=count_cores()))
    print(communication_table([*trained, *PUBLISHED.values()]))
    print()
    print(describe_machine())
    return 0


def _measure(
    args: argparse.Namespace, case: Case, setups: Sequence[SetUp], flags: Mapping[str, object]
) -> tuple[str, Trained]:
    """Return the table of one case, and what it trains."""
    found: dict[str, list[Measured]] = {setup.name: [] for setup in setups}

    def measure(setup: SetUp) -> Measurement:
        measured = measure_run(setup, case, flags, args.seconds, args.limit)
        found[setup.name].append(measured)
        return measured.images

    calls = {setup.name: functools.partial(measure, setup) for setup in setups}
    rows = to_rows(measure_in_turns(calls, args.rounds), ONE.name)
    sent = {
        name: statistics.median(each.sent for each in runs)
        for name, runs in found.items()
        if None not in [each.sent for each in runs]
    }
    sizes = {setup.name: args.batch_size * setup.shares for setup in setups}
    return speed_table(rows, sizes, sent), found[ONE.name][0].trained


def speed_table(
    rows: Sequence[Row], batch_sizes: Mapping[str, int], sent: Mapping[str, float]
) -> str:
    """Format a line for each row under a heading.

    Args:
      rows: as `to_rows` gives them.
      batch_sizes: by the name of a row, images in a step.
      sent: by the name of a row, bytes between the tasks in a step.
    """
    width = max(len(row.name) for row in rows)
    lines = [
        f'{"":{width}}  images a step  steps/s  images/s  MB sent  '
        f'of {ONE.name} (lowest to highest round)'
    ]
    for row in rows:
        size = batch_sizes[row.name]
        megabytes = f'{sent[row.name] / MEGA:.3g}' if row.name in sent else '-'
        lines.append(
            f'{row.name:{width}}  {size:13}  {row.rate / size:7,.1f}  {row.rate:8,.0f}  '
            f'{megabytes:>7}  {row.ratio:.2f} ({row.lowest:.2f} to {row.highest:.2f})'
        )
    return '\n'.join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.distribution',
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add('--cases', nargs='+', choices=CASES, default=list(CASES), help='what to train')
    add('--setups', nargs='+', choices=SETUPS, default=list(SETUPS), help='besides one device')
    add('--photos', type=Path, help='folder with train/ and test/; none: photos are drawn')
    add('--images', type=int, default=320, help='photos to draw, a fifth of them for the test')
    add('--module', help='TF-Hub module that takes images; none: a small one is made')
    add('--image_size', type=int, default=224, help='pixels that a model is fed')
    add('--batch_size', type=int, default=32, help='images that a device takes in a step')
    add('--seconds', type=float, default=3.0, help='least length of a measurement')
    add('--rounds', type=int, default=2, help='measurements of each')
    add('--limit', type=float, default=300.0, help='seconds that a start may take')
    return parser


if __name__ == '__main__':
    sys.exit(run_program(main, sys.argv[1:]))
