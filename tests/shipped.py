"""Tell the scaffold as it is shipped from a clone that has become a project of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

_PROJECT = (Path(__file__).resolve().parents[1] / 'pyproject.toml').read_text()

# Tests of what the scaffold ships, such as its sets and defaults, which an owner may change.
AS_SHIPPED = pytest.mark.skipif(
    'name = "tensorflow-project-scaffold"' not in _PROJECT,
    reason='pyproject.toml has a name of its own: sets, defaults and the demo are its to change',
)
