"""Images to splits: by the hash of each one's content, or by exact fractions of each class.

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
from library.records.listing import SPLIT_NAMES, is_split_name, usual_order

# Of a data set without splits of its own, where nobody says otherwise.
DEFAULT_SPLITS = 'train=0.8,test=0.2'


def parse_fractions(text: str) -> dict[str, float]:
    """Reads 'train=0.8,test=0.2'.

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
            raise ConfigError(f'--splits {text}: expected NAME=SHARE,NAME=SHARE, not {part!r}')
        try:
            fraction = float(number)
        except ValueError:
            raise ConfigError(f'--splits {text}: {number!r} is not a number') from None
        if not 0 < fraction <= 1:
            raise ConfigError(f'--splits {text}: a share lies above 0 and not above 1')
        name = SPLIT_NAMES.get(name.lower(), name)
        if name in fractions:
            raise ConfigError(f'--splits {text}: {name} is given twice')
        fractions[name] = fraction
    # Thirds, written with a few digits, are meant to sum to 1.
    if not math.isclose(sum(fractions.values()), 1.0, abs_tol=1e-3):
        raise ConfigError(f'--splits {text}: the shares sum to {sum(fractions.values()):g}, not 1')
    return {name: fractions[name] for name in usual_order(fractions)}


def split_by_hash(digests: Sequence[bytes], fractions: Mapping[str, float], seed: int) -> list[str]:
    """The split of each image, from its content alone.

    Adding or removing images moves no other, equal images share a split, and the fractions hold
    in expectation only.

    Args:
      digests: sha256 of each image's content.
      fractions: split to fraction.
      seed: another one gives another split.
    """
    names = list(fractions)
    ends = list(itertools.accumulate(fractions.values()))
    # The last end is infinite: sums like 0.8 + 0.1 + 0.1 may fall short of 1.
    ends[-1] = math.inf
    return [names[bisect.bisect_right(ends, _place(digest, seed))] for digest in digests]


def split_exactly(
    digests: Sequence[bytes],
    labels: Sequence[int],
    fractions: Mapping[str, float],
    seed: int,
    before: Mapping[bytes, str],
) -> list[str]:
    """The split of each image, so that the fractions hold within each class to one image.

    Args:
      digests: sha256 of each image's content; equal images share a split.
      labels: the class of each image.
      fractions: split to fraction.
      seed: another one gives another split.
      before: the split of images that were converted before; they stay where they were, and
        newcomers fill up what is short of its fraction.
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


def _quotas(count: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers that sum to `count`, each within 1 of its fraction: largest remainders."""
    total = sum(fractions.values())
    exact = {name: count * fraction / total for name, fraction in fractions.items()}
    quotas = {name: math.floor(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: quotas[name] - exact[name])
    for name in by_remainder[: count - sum(quotas.values())]:
        quotas[name] += 1
    return quotas


def _takes(count: int, quotas: Mapping[str, int]) -> dict[str, int]:
    """How many of `count` newcomers each split takes; who is beyond its quota takes none."""
    left, takes = dict(quotas), dict.fromkeys(quotas, 0)
    for _ in range(count):
        split = max(left, key=lambda name: left[name])
        left[split] -= 1
        takes[split] += 1
    return takes


def _place(digest: bytes, seed: int) -> float:
    """A number in [0, 1) that follows from content and seed."""
    mixed = hashlib.sha256(f'{seed}\0'.encode() + digest).digest()
    return int.from_bytes(mixed[:8], 'big') / 2**64
