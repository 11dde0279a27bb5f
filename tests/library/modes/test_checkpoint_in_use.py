"""Checkpoints that a trainer removes while they are worked with."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import tensorflow as tf

from library.checkpoints.newest import write_checkpoint_state
from library.checkpoints.readable import open_checkpoint
from library.errors import ConfigError, MismatchError
from library.modes.checkpoint_choice import ATTEMPTS, with_chosen_checkpoint

pytestmark = pytest.mark.graph


@pytest.fixture
def trainer(tmp_path):
    """A run's folder in which a trainer saves, and keeps one checkpoint."""

    def save(step):
        for path in tmp_path.glob('model.ckpt-*'):
            path.unlink()
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            tf.compat.v1.get_variable('value', initializer=tf.constant(float(step)))
            session.run(tf.compat.v1.global_variables_initializer())
            saver = tf.compat.v1.train.Saver()
            saver.save(session, str(tmp_path / 'model.ckpt'), step, write_state=False)
        write_checkpoint_state(str(tmp_path), [f'model.ckpt-{step}'])

    save(1)
    return save


def options(folder, wanted):
    return SimpleNamespace(
        model_dir=str(folder),
        best_model_dir=str(folder),
        validation_checkpoint=wanted,
        run_id='',
    )


def value(checkpoint):
    return float(open_checkpoint(checkpoint).get_tensor('value'))


@pytest.mark.parametrize('wanted', ['latest', 'best'])
def test_the_newest_takes_the_place_of_one_that_is_gone(trainer, tmp_path, wanted, capsys):
    def work(checkpoint, read_from):
        if checkpoint.endswith('-1'):
            trainer(2)
        return value(read_from)

    assert with_chosen_checkpoint(options(tmp_path, wanted), None, work) == 2.0
    assert capsys.readouterr().out == 'model.ckpt-2 has appeared meanwhile: using that\n'


def test_a_checkpoint_that_was_named_is_not_replaced(trainer, tmp_path):
    def work(checkpoint, read_from):
        trainer(2)
        return value(read_from)

    with pytest.raises(tf.errors.NotFoundError):
        with_chosen_checkpoint(options(tmp_path, '1'), None, work)
    with pytest.raises(ConfigError, match=r'model\.ckpt-1: no checkpoint there'):
        with_chosen_checkpoint(options(tmp_path, '1'), None, work)


def test_work_that_fails_on_a_checkpoint_that_stays_is_not_done_again(trainer, tmp_path):
    calls = []

    def work(checkpoint, read_from):
        calls.append(checkpoint)
        raise MismatchError('does not fit')

    with pytest.raises(MismatchError, match='does not fit'):
        with_chosen_checkpoint(options(tmp_path, 'latest'), None, work)
    assert len(calls) == 1


def test_a_trainer_that_is_always_faster_does_not_win(trainer, tmp_path):
    calls = []

    def work(checkpoint, read_from):
        calls.append(checkpoint)
        trainer(len(calls) + 1)
        return checkpoint, value(read_from)

    found = with_chosen_checkpoint(options(tmp_path, 'latest'), None, work)
    assert found == (str(tmp_path / 'model.ckpt-2'), 2.0)


def test_work_that_always_fails_ends(trainer, tmp_path):
    calls = []

    def work(checkpoint, read_from):
        calls.append(checkpoint)
        trainer(len(calls) + 1)
        raise MismatchError('does not fit')

    with pytest.raises(MismatchError, match='does not fit'):
        with_chosen_checkpoint(options(tmp_path, 'latest'), None, work)
    assert len(calls) == ATTEMPTS
