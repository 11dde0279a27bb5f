"""Group the numbers of records into the ranges that are read for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator


def to_ranges(numbers: Collection[int], step: int = 1) -> Iterator[tuple[int, int]]:
    """Yield first number and length of each range, in order.

    Args:
      numbers: that are wanted, in any order.
      step: the most from one of them to the next within a range; 1: nothing else is in it.
    """
    ordered = sorted(numbers)
    start = 0
    for end in range(1, len(ordered) + 1):
        if end == len(ordered) or ordered[end] - ordered[end - 1] > step:
            yield ordered[start], ordered[end - 1] + 1 - ordered[start]
            start = end
