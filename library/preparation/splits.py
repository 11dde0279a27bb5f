"""Assign images to splits: by the hash of their content, or by exact fractions of each class.

Both are pure functions of contents, labels and seed; names and order of the files do not matter.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from library.errors import ConfigError
from library.records.listing import AUTO, FOLD, SPLIT_NAMES, is_fold, is_split_name, usual_order

# Stands for all folds together; no split is called so.
TRAIN = ''


def with_folds(fractions: Mapping[str, float] | None, folds: int) -> dict[str, float]:
    """Divide what is trained on into folds of equal size, called fold1, fold2 ...

    Args:
      fractions: of the splits to make; None makes folds of everything.
      folds: how many.

    Raises:
      ConfigError: there is no train to divide, or a fold among the splits already.
    """
    found = dict(fractions or {'train': 1.0})
    if 'train' not in found:
        raise ConfigError('--folds: divides train, which --splits does not give')
    if taken := next(filter(is_fold, found), None):
        raise ConfigError(
            f'--folds: makes the splits {FOLD}1 to {FOLD}{folds}, so --splits cannot give {taken}'
        )
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
        if name == AUTO:
            raise ConfigError(
                f'--splits {text}: no split may be called {AUTO}, which --eval_split takes for '
                f'another'
            )
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
    return [names[bisect.bisect_right(ends, place_of(unit, seed))] for unit in units]


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
    for label, members in classes.items():
        quotas = _quotas_with_folds(len(members), fractions, label)
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
        newcomers.sort(key=lambda each: place_of(each, seed))
        splits = itertools.chain.from_iterable(
            itertools.repeat(name, count) for name, count in _takes(len(newcomers), quotas).items()
        )
        chosen.update(zip(newcomers, splits, strict=True))
    return [chosen[digest] for digest in digests]


def _quotas_with_folds(count: int, fractions: Mapping[str, float], label: int) -> dict[str, int]:
    """Round as `_quotas` does, the folds together as the one split that they divide.

    Each class begins with another fold, or what cannot be shared out would all go to the first.
    """
    folds, others = folds_apart(fractions)
    if not folds:
        return _quotas(count, fractions)
    quotas = _quotas(count, {TRAIN: sum(folds.values()), **others})
    names = list(folds)
    turn = label % len(names)
    in_turn = {name: folds[name] for name in names[turn:] + names[:turn]}
    return {**_quotas(quotas.pop(TRAIN), in_turn), **quotas}


def folds_apart(fractions: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the fractions of the folds, and those of the other splits."""
    folds = {name: fraction for name, fraction in fractions.items() if is_fold(name)}
    return folds, {name: fractions[name] for name in fractions if name not in folds}


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


def place_of(digest: bytes, seed: int) -> float:
    """Return a number in [0, 1) that follows from content and seed."""
    mixed = hashlib.sha256(f'{seed}\0'.encode() + digest).digest()
    return int.from_bytes(mixed[:8], 'big') / 2**64
