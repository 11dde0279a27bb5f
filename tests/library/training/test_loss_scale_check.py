"""The option loss_scale."""

from __future__ import annotations

import pytest

from library.errors import ConfigError
from library.training.loss_scale_check import check_loss_scale


@pytest.mark.parametrize('text', ['dynamic', '1', '128', '1e3', '2.5'])
def test_a_loss_scale_is_dynamic_or_a_number(text):
    check_loss_scale(text)


@pytest.mark.parametrize('text', ['Dynamic', 'fast', '0', '0.5', '-8', 'inf', 'nan'])
def test_any_other_loss_scale_is_refused(text):
    with pytest.raises(ConfigError) as error:
        check_loss_scale(text)
    message = f'--loss_scale: {text!r} is neither dynamic nor a number of at least 1 such as 128'
    assert str(error.value) == message
    assert error.value.exit_code == 2
