"""Errors that one line explains."""

from __future__ import annotations

import pytest
import tensorflow as tf

from library.errors import ConfigError

pytestmark = pytest.mark.graph


def test_autograph_leaves_the_line_as_it_is():
    """Under a strategy model_fn runs through it."""

    @tf.function
    def converted() -> None:
        raise ConfigError('--flag: what to do')

    with pytest.raises(ConfigError, match=r'^--flag: what to do$'):
        converted()
