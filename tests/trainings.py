"""Refuse trainings where graphs are tested."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.tiers import has_tensorflow

_allowed = True


@contextmanager
def trainings(allowed: bool) -> Iterator[None]:
    """Let what trains fail, unless it is allowed to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('tests.trainings._allowed', allowed)
        if has_tensorflow() and not allowed:
            # The base of all Estimators; a training that is evaluated now and then calls it, too.
            patch.setattr('tensorflow.compat.v1.estimator.Estimator.train', _refuse)
        yield


def check_trainings() -> None:
    """Fail where trainings are refused, also if an earlier test has trained the same."""
    if not _allowed:
        _refuse()


def _refuse(*words: Any, **named: Any) -> None:
    pytest.fail('this test trains: it is no test of graphs, but of train or process, or a smoke')
