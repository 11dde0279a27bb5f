"""The demo needs no extra."""

from __future__ import annotations

import pytest

from tests.clones import BARE, assert_green, copy_bare_clone

pytestmark = pytest.mark.process


@pytest.mark.parametrize('left', BARE)
def test_without_extras_the_demo_runs(left, tmp_path, program):
    clone = copy_bare_clone(tmp_path / 'clone', left)
    said = assert_green(program('-m', 'demo', cwd=clone, timeout=600))
    assert 'test accuracy' in said
    assert (clone / 'out' / 'demo' / 'result.png').exists()
