"""Limits for metrics: how they are written, and who passes."""

from __future__ import annotations

import numpy as np
import pytest

from library.errors import ConfigError, GateError
from library.modes.evaluation.gate import check_gate, parse

pytestmark = pytest.mark.unit

METRICS = {'accuracy': float(np.float32(0.9)), 'loss': 0.4, 'auc': None, 'split': 'test', 'n': 7}


def least(*texts):
    return parse(texts, '--fail_below', is_least=True)


def most(*texts):
    return parse(texts, '--fail_above', is_least=False)


@pytest.mark.parametrize('text', ['accuracy', 'accuracy:0.9', '=0.9', ' = 1'])
def test_another_form_is_named(text):
    with pytest.raises(ConfigError, match=r'^--fail_below: .* is not METRIC=NUMBER, such as '):
        least(text)


@pytest.mark.parametrize('number', ['', 'high', '90%', 'nan', 'inf', '1=2'])
def test_what_is_no_number_is_named(number):
    with pytest.raises(ConfigError, match=f"^--fail_below: '{number}' in 'accuracy={number}' is "):
        least('loss=1', f'accuracy={number}')


@pytest.mark.parametrize('text', ['accuracy=0.9', ' accuracy = 9e-1 ', 'loss=-1', 'n=7'])
def test_a_limit_that_is_reached_is_met(text):
    check_gate(METRICS, least(text))


def test_float32_does_not_make_a_metric_miss_what_it_reached():
    assert METRICS['accuracy'] < 0.9
    check_gate(METRICS, least('accuracy=0.9'))
    check_gate({'error': float(np.float32(0.1))}, most('error=0.1'))
    with pytest.raises(GateError):
        check_gate(METRICS, least('accuracy=0.900001'))


def test_all_that_miss_are_named_with_value_and_limit():
    limits = least('accuracy=0.95', 'n=7', 'auc=0.5') + most('loss=0.25', 'n=6')
    with pytest.raises(GateError) as error:
        check_gate(METRICS, limits)
    assert str(error.value) == (
        'not good enough: accuracy 0.9 is below 0.95; auc is not a finite number; '
        'loss 0.4 is above 0.25; n 7 is above 6'
    )
    assert error.value.exit_code == 7


def test_value_and_limit_are_told_apart():
    with pytest.raises(GateError, match=r'loss 0\.5000002 is above 0\.5$'):
        check_gate({'loss': 0.5000002}, most('loss=0.5'))


@pytest.mark.parametrize(('name', 'near'), [('acuracy', 'accuracy'), ('Loss', 'loss')])
def test_an_unknown_metric_is_named_with_the_nearest(name, near):
    with pytest.raises(ConfigError, match=rf"^--fail_above: no metric '{name}'.*{near}"):
        check_gate(METRICS, most(f'{name}=1'))


def test_a_text_is_no_metric():
    with pytest.raises(ConfigError, match=r"no metric 'split' \(there are accuracy, loss, auc, n"):
        check_gate(METRICS, most('split=1'))
