"""Summarize measurements taken in turns as a table of rates and ratios.

Other programs slow a machine down for seconds at a time. So nothing is measured twice in a row:
each round measures everything once, a ratio is taken within a round, and the table shows medians.
The processor's time may stand beside it, because it depends little on what else is running.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import tqdm


@dataclass
class Measurement:
    """How long some images took; cpu_seconds are those of this process alone."""

    images: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Return the images per second."""
        return self.images / self.seconds


@dataclass(frozen=True)
class Row:
    """A line of the table: medians, with the lowest and the highest ratio of any round."""

    name: str
    rate: float
    ratio: float
    lowest: float
    highest: float
    cpu_ms: float


@contextmanager
def measured(images: int) -> Iterator[Measurement]:
    """Yield a Measurement that is filled in when the block ends."""
    measurement = Measurement(images)
    started, cpu_before = time.perf_counter(), time.process_time()
    yield measurement
    measurement.seconds = time.perf_counter() - started
    measurement.cpu_seconds = time.process_time() - cpu_before


def measure_in_turns(
    measure: Mapping[str, Callable[[], Measurement]], rounds: int
) -> dict[str, list[Measurement]]:
    """Call everything once a round; map each name to one Measurement per round."""
    found: dict[str, list[Measurement]] = {name: [] for name in measure}
    # disable=None: no bar where nobody looks (a log file).
    for _ in tqdm.trange(rounds, unit='round', disable=None):
        for name, call in measure.items():
            found[name].append(call())
    return found


def to_rows(
    measurements: Mapping[str, Sequence[Measurement]],
    reference: str,
    times: Mapping[str, float] | None = None,
) -> list[Row]:
    """Take the medians over the rounds.

    Args:
      measurements: by name, one for each round.
      reference: name of what the ratios are of.
      times: by name, how many times the reference a rate should reach; 1 where it is not named.
    """
    rows = []
    for name, rounds in measurements.items():
        factor = (times or {}).get(name, 1)
        pairs = zip(rounds, measurements[reference], strict=True)
        ratios = [each.rate / (factor * base.rate) for each, base in pairs]
        rate = statistics.median(each.rate for each in rounds)
        cpu_ms = statistics.median(1000 * each.cpu_seconds / each.images for each in rounds)
        median = statistics.median(ratios)
        rows.append(Row(name, rate, median, min(ratios), max(ratios), cpu_ms))
    return rows


def format_table(
    rows: Sequence[Row], ratio_of: str, with_cpu: bool = False, batch_size: int | None = None
) -> str:
    """Format a line for each row under a heading.

    Args:
      rows: as `to_rows` gives them.
      ratio_of: name of what the ratios are of.
      with_cpu: adds processor times, which make sense where no child works.
      batch_size: images in a step, to add steps/s; None adds nothing.
    """
    width = max(len(row.name) for row in rows)
    steps_heading = 'steps/s  ' if batch_size else ''
    cpu_heading = 'CPU ms/image  ' if with_cpu else ''
    heading = f'{"":{width}}  {steps_heading}images/s  {cpu_heading}'
    lines = [f'{heading}of {ratio_of} (lowest to highest round)']
    for row in rows:
        steps = f'{row.rate / batch_size:7,.1f}  ' if batch_size else ''
        cpu = f'{row.cpu_ms:12.3f}  ' if with_cpu else ''
        ratios = f'{row.ratio:.2f} ({row.lowest:.2f} to {row.highest:.2f})'
        lines.append(f'{row.name:{width}}  {steps}{row.rate:8,.0f}  {cpu}{ratios}')
    return '\n'.join(lines)
