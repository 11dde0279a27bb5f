"""Assign images to splits: by the hash of their content, or by exact fractions of each class.

Both are pure functions of contents, labels and seed; names and order of the files do not matter.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from library.errors import ConfigError
from library.records.listing import FOLD, SPLIT_NAMES, is_split_name, usual_order


def with_folds(fractions: Mapping[str, float] | None, folds: int) -> dict[str, float]:
    """Divide what is trained on into folds of equal size, called fold1, fold2 ...

    Args:
      fractions: of the splits to make; None makes folds of everything.
      folds: how many.

    Raises:
      ConfigError: there is no train to divide.
    """
    found = dict(fractions or {'train': 1.0})
    if 'train' not in found:
        raise ConfigError('--folds: divides train, which --splits does not give')
    train = found.pop('train')
    return {**{f'{FOLD}{number}': train / folds for number in range(1, folds + 1)}, **found}


# Of a data set without splits of its own, where nobody says otherwise.
DEFAULT_SPLITS = 'train=0.8,test=0.2'


def parse_fractions(text: str) -> dict[str, float]:
    """Parse 'train=0.8,test=0.2'.

    Returns:
      Split to fraction, in the usual order, whatever the order of the text; fractions sum to 1.
      Usual names have one form: val is validation.

    Raises:
      ConfigError: not of this form, a fraction that is not above 0, or another sum.
    """
    fractions: dict[str, float] = {}
    for part in text.split(','):
        name, equals, number = (each.strip() for each in part.partition('='))
        if not equals or not is_split_name(name):
            form = 'NAME=FRACTION,NAME=FRACTION'
            raise ConfigError(f'--splits {text}: expected {form}, not {part!r}')
        try:
            fraction = float(number)
        except ValueError:
            raise ConfigError(f'--splits {text}: {number!r} is not a number') from None
        if not 0 < fraction <= 1:
            raise ConfigError(f'--splits {text}: a fraction must be above 0 and at most 1')
        name = SPLIT_NAMES.get(name.lower(), name)
        if name in fractions:
            raise ConfigError(f'--splits {text}: {name} is given twice')
        fractions[name] = fraction
    # Thirds, written with a few digits, are meant to sum to 1.
    if not math.isclose(sum(fractions.values()), 1.0, abs_tol=1e-3):
        total = sum(fractions.values())
        raise ConfigError(f'--splits {text}: the fractions sum to {total:g}, not 1')
    return {name: fractions[name] for name in usual_order(fractions)}


def split_by_hash(units: Sequence[bytes], fractions: Mapping[str, float], seed: int) -> list[str]:
    """Assign each image a split from its content alone.

    Adding or removing images moves no other, equal images and groups share a split, and the
    fractions hold in expectation only.

    Args:
      units: a digest for each image, equal where they must share a split (`unit_digests`).
      fractions: split to fraction.
      seed: another one gives another split.
    """
    names = list(fractions)
    ends = list(itertools.accumulate(fractions.values()))
    # The last end is infinite: sums like 0.8 + 0.1 + 0.1 may fall short of 1.
    ends[-1] = math.inf
    return [names[bisect.bisect_right(ends, _place(unit, seed))] for unit in units]


def split_exactly(
    digests: Sequence[bytes],
    labels: Sequence[int],
    fractions: Mapping[str, float],
    seed: int,
    before: Mapping[bytes, str],
) -> list[str]:
    """Assign each image a split so that the fractions hold within each class to one image.

    Args:
      digests: sha256 of each image's content; equal images share a split.
      labels: the class of each image.
      fractions: split to fraction.
      seed: another one gives another split.
      before: the split of images that were converted before; they stay where they were, and
        newcomers fill what is short of its fraction.
    """
    classes: defaultdict[int, list[bytes]] = defaultdict(list)
    chosen: dict[bytes, str] = {}
    for digest, label in zip(digests, labels, strict=True):
        # A picture under two labels counts for the first.
        if digest not in chosen:
            chosen[digest] = ''
            classes[label].append(digest)
    for members in classes.values():
        quotas = _quotas(len(members), fractions)
        newcomers = []
        for digest in members:
            split = before.get(digest)
            if split in quotas:
                chosen[digest] = split
                quotas[split] -= 1
            else:
                newcomers.append(digest)
        # Each split takes newcomers that follow each other, so that some of them, if they were
        # there before, change nothing for the others: a rerun of a killed conversion is such a
        # case, and one with bad images, which no list of stored images names.
        newcomers.sort(key=lambda each: _place(each, seed))
        splits = itertools.chain.from_iterable(
            itertools.repeat(name, count) for name, count in _takes(len(newcomers), quotas).items()
        )
        chosen.update(zip(newcomers, splits, strict=True))
    return [chosen[digest] for digest in digests]


def split_groups(
    units: Sequence[bytes],
    labels: Sequence[int],
    fractions: Mapping[str, float],
    seed: int,
    before: Mapping[bytes, str],
) -> list[str]:
    """The split of each image, whole groups together, each class's share as near as they allow.

    From the largest group to the smallest, each goes where it leaves the least sum of squared
    differences from the fractions, over classes and splits, each relative to what is wanted.

    Args:
      units: a digest for each image, equal where they must share a split (`unit_digests`).
      labels: the class of each image.
      fractions: split to fraction.
      seed: another one gives another split.
      before: the split of units that were converted before; they stay where they were.
    """
    counts: defaultdict[bytes, Counter[int]] = defaultdict(Counter)
    for unit, label in zip(units, labels, strict=True):
        counts[unit][label] += 1
    total = Counter(labels)
    order = sorted(counts, key=lambda unit: (-counts[unit].total(), _place(unit, seed)))
    # Anew first: a conversion that was killed, and is run again, then comes out the same.
    for known in ({}, before):
        chosen: dict[bytes, str] = {unit: known[unit] for unit in order if unit in known}
        held = {split: Counter[int]() for split in fractions}
        for unit, split in chosen.items():
            held[split] += counts[unit]
        for unit in order:
            if unit not in chosen:
                chosen[unit] = min(
                    fractions,
                    key=lambda split: _growth(held[split], counts[unit], total, fractions[split]),
                )
                held[chosen[unit]] += counts[unit]
        if all(chosen[unit] == split for unit, split in before.items() if unit in chosen):
            break
    return [chosen[unit] for unit in units]


def _growth(held: Counter[int], group: Counter[int], total: Counter[int], fraction: float) -> float:
    """How much a split's squared differences grow by a group."""
    growth = 0.0
    for label, count in group.items():
        wanted = fraction * total[label]
        growth += count * (count + 2 * (held[label] - wanted)) / wanted
    return growth


def _quotas(count: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Round to whole numbers that sum to `count`, each within 1: largest remainders."""
    total = sum(fractions.values())
    exact = {name: count * fraction / total for name, fraction in fractions.items()}
    quotas = {name: math.floor(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: quotas[name] - exact[name])
    for name in by_remainder[: count - sum(quotas.values())]:
        quotas[name] += 1
    return quotas


def _takes(count: int, quotas: Mapping[str, int]) -> dict[str, int]:
    """Return how many of `count` newcomers each split takes; none beyond its quota."""
    left, takes = dict(quotas), dict.fromkeys(quotas, 0)
    for _ in range(count):
        split = max(left, key=lambda name: left[name])
        left[split] -= 1
        takes[split] += 1
    return takes


def _place(digest: bytes, seed: int) -> float:
    """Return a number in [0, 1) that follows from content and seed."""
    mixed = hashlib.sha256(f'{seed}\0'.encode() + digest).digest()
    return int.from_bytes(mixed[:8], 'big') / 2**64
