"""Scopes to the variables that are trained."""

from __future__ import annotations

import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.training.fine_tuning import in_scopes

NAMES = (
    'head/logits/kernel',
    'head/logits/bias',
    'header/kernel',
    'head_scale',
    'module/block7/conv/kernel',
    'module/block70/kernel',
    'scale',
)


@pytest.fixture
def variables():
    with tf.Graph().as_default():
        yield [tf.Variable(1.0, name=name) for name in NAMES]


def names(variables):
    return [variable.op.name for variable in variables]


def test_without_scopes_all_are_trained(variables):
    assert in_scopes(variables, ()) == variables


@pytest.mark.parametrize('scope', ['head', 'head/'])
def test_a_scope_holds_what_lies_under_it_and_nothing_that_only_begins_so(variables, scope):
    assert names(in_scopes(variables, [scope])) == ['head/logits/kernel', 'head/logits/bias']


def test_a_scope_may_be_deep_or_a_variable_of_its_own(variables):
    found = names(in_scopes(variables, ['scale', 'module/block7']))
    assert found == ['module/block7/conv/kernel', 'scale']


def test_a_variable_under_two_scopes_is_trained_once(variables):
    found = names(in_scopes(variables, ['head/logits', 'head']))
    assert found == ['head/logits/kernel', 'head/logits/bias']


def test_a_scope_without_variables_is_named_with_the_nearest_and_all(variables):
    with pytest.raises(ConfigError) as error:
        in_scopes(variables, ['head', 'module/blok7'])
    assert str(error.value) == (
        '--trainable_scopes module/blok7: the model trains no variables there; did you mean '
        "'module/block7'? (there are head, head/logits, header, module, module/block7, "
        'module/block70)'
    )
    assert error.value.exit_code == 2
