"""Sum up cross-validations: mean and spread over runs that differ in their fold alone."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence

# The images of an epoch follow from the fold.
_FOLLOWS = {'fold', 'train_examples'}


def fold_lines(
    metric: str, values: Sequence[float | None], options: Mapping[str, Sequence[str]]
) -> list[str]:
    """Write a line for each setting that was trained on two folds or more.

    Args:
      metric: the name of what was measured.
      values: of each run; None where it was not measured.
      options: by name, the values of each run, of those options in which runs differ.

    Returns:
      Lines with the mean and the sample standard deviation; none where the runs have no folds.
    """
    settings: defaultdict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    names = [name for name in options if name not in _FOLLOWS]
    for place, (fold, value) in enumerate(zip(options.get('fold', ()), values, strict=False)):
        if value is not None and fold.isdecimal():
            # The split of its own that a run evaluates on follows from the fold, too.
            own = f'fold{fold}'
            setting = tuple(
                ('' if (each := options[name][place]) == own else each) for name in names
            )
            # Of two runs on one fold the first, which is the better one, as in the table.
            settings[setting].setdefault(fold, value)
    lines = []
    for setting, found in settings.items():
        if len(found) > 1:
            mean, spread = statistics.fmean(found.values()), statistics.stdev(found.values())
            shown = ', '.join(sorted(found, key=int))
            of = ''.join(f', {n} {each}' for n, each in zip(names, setting, strict=True) if each)
            lines.append(f'folds {shown}{of}: {metric} {mean:.4f}, standard deviation {spread:.4f}')
    return lines
