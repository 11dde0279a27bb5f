"""Tell a person in a few lines what became of each variable at a warm start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

# In the order of the table.
KINDS = ('restored', 'skipped', 'new')
# So many variables of one scope are named one by one; more are counted.
FEW = 3


@dataclass(frozen=True)
class RestoreStatus:
    """Whether one variable is restored, and why not.

    Attributes:
      name: of the variable.
      shape: of the variable.
      kind: one of KINDS.
      why: the reason, unless it was restored.
      classes_there: the checkpoint's number of classes, where that is the reason.
    """

    name: str
    shape: tf.TensorShape
    kind: str
    why: str = ''
    classes_there: int | None = None

    @property
    def outcome(self) -> tuple[str, str]:
        """Return kind and reason, as they are shown; variables that share both can share a line."""
        return self.kind, self.why and f'({self.why})'


def table(statuses: Sequence[RestoreStatus]) -> list[str]:
    """Lay out lines in columns: kind, variable or scope, shape or count, reason.

    A first-level scope such as module/ is one line if all of it has the same status, and otherwise
    one line for each second-level scope and status.
    """
    outcomes = defaultdict(set)
    for status in statuses:
        outcomes[status.name.split('/')[0]].add(status.outcome)
    groups = defaultdict(list)
    for status in statuses:
        parts = status.name.split('/')
        depth = 1 if len(outcomes[parts[0]]) == 1 else 2
        groups[status.outcome, '/'.join(parts[:depth])].append(status)
    rows = [row for (_, scope), group in groups.items() for row in _rows(scope, group)]
    rows.sort(key=lambda row: KINDS.index(row[0]))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        f'{kind:<{widths[0]}}  {what:<{widths[1]}}  {size:<{widths[2]}}  {why}'.rstrip()
        for kind, what, size, why in rows
    ]


def _rows(scope: str, statuses: Sequence[RestoreStatus]) -> list[tuple[str, str, str, str]]:
    """Return the lines of variables that share scope, kind and reason."""
    kind, why = statuses[0].outcome
    if len(statuses) <= FEW:
        return [(kind, status.name, str(status.shape.as_list()), why) for status in statuses]
    values = sum(status.shape.num_elements() or 0 for status in statuses)
    return [(kind, f'{scope}/', f'{len(statuses)} variables, {values:,} values', why)]
