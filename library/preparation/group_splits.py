"""Assign whole groups of images to splits, by fractions that are as exact as the groups allow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from library.preparation.splits import TRAIN, folds_apart, place_of


def split_groups(
    units: Sequence[bytes],
    labels: Sequence[int],
    fractions: Mapping[str, float],
    seed: int,
    before: Mapping[bytes, str],
) -> list[str]:
    """Choose each image's split, whole groups together, each class's share as near as they allow.

    From the largest group to the smallest, each goes where it leaves the least sum of squared
    differences from the fractions, over classes and splits, each relative to what is wanted.

    Args:
      units: a digest for each image, equal where they must share a split (`unit_digests`).
      labels: the class of each image.
      fractions: split to fraction.
      seed: another one gives another split.
      before: the split of units that were converted before; they stay where they were.
    """
    folds, others = folds_apart(fractions)
    if not folds:
        return _divide_groups(units, labels, fractions, seed, before)
    # The other splits are those that there would be without folds.
    together = {unit: TRAIN if split in folds else split for unit, split in before.items()}
    whole = {TRAIN: sum(folds.values()), **others}
    splits = _divide_groups(units, labels, whole, seed, together)
    chosen = [place for place, split in enumerate(splits) if split == TRAIN]
    of_folds = _divide_groups(
        [units[place] for place in chosen],
        [labels[place] for place in chosen],
        {name: fraction / whole[TRAIN] for name, fraction in folds.items()},
        seed,
        {unit: split for unit, split in before.items() if split in folds},
    )
    for place, split in zip(chosen, of_folds, strict=True):
        splits[place] = split
    return splits


def _divide_groups(
    units: Sequence[bytes],
    labels: Sequence[int],
    fractions: Mapping[str, float],
    seed: int,
    before: Mapping[bytes, str],
) -> list[str]:
    counts: defaultdict[bytes, Counter[int]] = defaultdict(Counter)
    for unit, label in zip(units, labels, strict=True):
        counts[unit][label] += 1
    total = Counter(labels)
    order = sorted(counts, key=lambda unit: (-counts[unit].total(), place_of(unit, seed)))
    # Anew first: a conversion that was killed, and is run again, then comes out the same.
    for known in ({}, before):
        chosen: dict[bytes, str] = {unit: known[unit] for unit in order if unit in known}
        held = {split: Counter[int]() for split in fractions}
        for unit, split in chosen.items():
            held[split] += counts[unit]
        for unit in order:
            if unit not in chosen:
                growth = {
                    split: (_growth(held[split], counts[unit], total, wanted), held[split].total())
                    for split, wanted in fractions.items()
                }
                # Of equal folds the emptier one: else all classes of one group meet in the first.
                chosen[unit] = min(growth, key=lambda split: growth[split])
                held[chosen[unit]] += counts[unit]
        if all(chosen[unit] == split for unit, split in before.items() if unit in chosen):
            break
    return [chosen[unit] for unit in units]


def _growth(held: Counter[int], group: Counter[int], total: Counter[int], fraction: float) -> float:
    """Return how much a split's squared differences grow by a group."""
    growth = 0.0
    for label, count in group.items():
        wanted = fraction * total[label]
        growth += count * (count + 2 * (held[label] - wanted)) / wanted
    return growth
