"""The bar of an evaluation."""

from __future__ import annotations

import io

import pytest
import tensorflow as tf

from library.hooks.evaluation_bar import EvaluationBarHook


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def evaluate():
    def call(stream, images, batch_size, batches):
        with tf.Graph().as_default():
            step = tf.compat.v1.train.get_or_create_global_step()
            hook = EvaluationBarHook(images, batch_size, stream)
            with tf.compat.v1.train.SingularMonitoredSession(hooks=[hook]) as session:
                for _ in range(batches):
                    session.run(step)
                shown = hook._bar.n
        return shown, stream.getvalue()

    return call


def test_a_short_last_batch_does_not_count_too_much(evaluate):
    shown, text = evaluate(Terminal(), images=10, batch_size=4, batches=3)
    assert shown == 10
    assert 'evaluating' in text
    assert '/10' in text


def test_a_log_file_gets_no_bar(evaluate):
    assert evaluate(io.StringIO(), images=10, batch_size=4, batches=3)[1] == ''
