"""What became of each variable at a warm start, to a few lines that a person reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

# In the order of the table.
STATUSES = ('restored', 'skipped', 'new')
# So many variables of one scope are named one by one; more are counted.
FEW = 3


@dataclass(frozen=True)
class Fate:
    """What becomes of one variable.

    Attributes:
      name: of the variable.
      shape: of the variable.
      status: one of STATUSES.
      why: the reason, unless it was restored.
      classes_there: the checkpoint's number of classes, where that is the reason.
    """

    name: str
    shape: tf.TensorShape
    status: str
    why: str = ''
    classes_there: int | None = None

    @property
    def outcome(self) -> tuple[str, str]:
        """Status and reason, as they are shown; variables that share both can share a line."""
        return self.status, self.why and f'({self.why})'


def table(fates: Sequence[Fate]) -> list[str]:
    """Lines in columns: status, variable or scope, shape or count, reason.

    A first-level scope such as module/ is one line if all of it had the same fate, and otherwise
    one line for each second-level scope and fate.
    """
    outcomes = defaultdict(set)
    for fate in fates:
        outcomes[fate.name.split('/')[0]].add(fate.outcome)
    groups = defaultdict(list)
    for fate in fates:
        parts = fate.name.split('/')
        depth = 1 if len(outcomes[parts[0]]) == 1 else 2
        groups[fate.outcome, '/'.join(parts[:depth])].append(fate)
    rows = [row for (_, scope), group in groups.items() for row in _rows(scope, group)]
    rows.sort(key=lambda row: STATUSES.index(row[0]))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        f'{status:<{widths[0]}}  {what:<{widths[1]}}  {size:<{widths[2]}}  {why}'.rstrip()
        for status, what, size, why in rows
    ]


def _rows(scope: str, fates: Sequence[Fate]) -> list[tuple[str, str, str, str]]:
    """The lines of variables that share scope, status and reason."""
    status, why = fates[0].outcome
    if len(fates) <= FEW:
        return [(status, fate.name, str(fate.shape.as_list()), why) for fate in fates]
    values = sum(fate.shape.num_elements() or 0 for fate in fates)
    return [(status, f'{scope}/', f'{len(fates)} variables, {values:,} values', why)]
