"""Tensors by name on the screen."""

from __future__ import annotations

import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.hooks.logging_tensors import NamedTensorsHook
from tests.library.hooks.tiny_training import train


def test_a_line_comes_at_the_first_step_and_then_every_so_many(capsys):
    train([NamedTensorsHook(['loss', 'learning_rate'], 2)], steps=4)
    assert capsys.readouterr().out.splitlines() == [
        'step 1: loss 1  learning_rate 0.001',
        'step 3: loss 0.3333  learning_rate 0.001',
    ]


def test_a_resumed_run_goes_on_counting(capsys):
    train([NamedTensorsHook(['loss'], 2)], steps=1, start=9)
    assert capsys.readouterr().out == 'step 10: loss 0.1\n'


@pytest.mark.parametrize('left_out', [{1}, {1, 2}, {2}, {3}, {2, 4}])
def test_a_step_that_a_loss_scale_leaves_out_shifts_no_line(capsys, left_out):
    train([NamedTensorsHook(['loss'], 2)], steps=4 + len(left_out), left_out=left_out)
    assert capsys.readouterr().out.splitlines() == ['step 1: loss 1', 'step 3: loss 0.3333']


def test_a_tensor_of_the_graph_is_shown_on_one_line(capsys):
    def build(step):
        tf.reshape(step + tf.range(100.0), [10, 10], name='many')
        tf.constant('text', name='text')

    train([NamedTensorsHook(['many', 'text'], 1)], steps=1, build=build)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith('step 1: many [[ 0.  1.  2. ...  7.  8.  9.]')
    assert line.endswith("text b'text'")


def test_a_tensor_that_is_not_there_ends_the_run_before_its_first_step(capsys):
    with pytest.raises(ConfigError, match='--log_tensors acuracy: no such tensor') as error:
        train([NamedTensorsHook(['acuracy'], 1)], steps=1)
    assert error.value.exit_code == 2
