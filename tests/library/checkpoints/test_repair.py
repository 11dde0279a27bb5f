"""A run's folder: its lock, and checkpoints that cannot be read."""

from __future__ import annotations

import os

import pytest
import tensorflow as tf

from library.checkpoints.readable import is_readable
from library.checkpoints.repair import mend_checkpoints
from library.errors import MismatchError

pytestmark = pytest.mark.graph


@pytest.fixture
def folder(tmp_path):
    """Checkpoints of steps 1, 2 and 3; the variable holds the step."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        step = tf.compat.v1.get_variable('step', initializer=tf.zeros([100]))
        session.run(step.initializer)
        saver = tf.compat.v1.train.Saver(save_relative_paths=True, sharded=True)
        for number in (1, 2, 3):
            session.run(step.assign(tf.fill([100], float(number))))
            saver.save(session, str(tmp_path / 'model.ckpt'), number, write_meta_graph=False)
    return tmp_path


def newest(folder):
    mend_checkpoints(str(folder))
    return tf.train.load_variable(tf.train.latest_checkpoint(str(folder)), 'step')[0]


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == 'empty':
        data = b''
    elif how == 'cut':
        data = data[: len(data) // 2]
    else:
        data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_good_folder_is_left_as_it_is(folder):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert newest(folder) == 3
    assert before == {path: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize('how', ['empty', 'cut', 'bit'])
@pytest.mark.parametrize('part', ['index', 'data-00000-of-00001'])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(folder, caplog, how, part):
    damage(folder / f'model.ckpt-3.{part}', how)
    assert not is_readable(str(folder / 'model.ckpt-3'))
    assert newest(folder) == 2
    assert f'{folder}: the newest checkpoint cannot be read; going on from step 2' in caplog.text


def test_two_damaged_ones_are_passed_over(folder):
    damage(folder / 'model.ckpt-3.index', 'empty')
    damage(folder / 'model.ckpt-2.data-00000-of-00001', 'cut')
    assert newest(folder) == 1


@pytest.mark.parametrize('content', ['', 'garbage', 'model_checkpoint_path: "model.ckpt-9"\n'])
def test_a_state_file_that_says_nothing_true_is_made_anew(folder, content):
    (folder / 'checkpoint').write_text(content)
    assert newest(folder) == 3


def test_a_missing_state_file_is_made_anew(folder):
    (folder / 'checkpoint').unlink()
    assert newest(folder) == 3


def test_an_older_checkpoint_that_the_state_names_is_kept(folder):
    (folder / 'checkpoint').write_text('model_checkpoint_path: "model.ckpt-1"\n')
    assert newest(folder) == 1


def test_if_none_can_be_read_it_is_said_and_nothing_is_deleted(folder):
    for path in folder.glob('*.index'):
        damage(path, 'empty')
    with pytest.raises(MismatchError, match='none of its checkpoints can be read') as error:
        mend_checkpoints(str(folder))
    assert error.value.exit_code == 4
    assert len(list(folder.glob('model.ckpt-*'))) == 6


def test_a_state_file_alone_is_no_run(tmp_path):
    (tmp_path / 'checkpoint').write_text('model_checkpoint_path: "model.ckpt-9"\n')
    mend_checkpoints(str(tmp_path))
    assert os.listdir(tmp_path) == []


def test_what_a_killed_save_left_is_removed(folder):
    (folder / 'model.ckpt-4_temp').mkdir()
    (folder / 'model.ckpt-4_temp' / 'part-00000-of-00001.data-00000-of-00001').write_text('')
    assert newest(folder) == 3
    assert not (folder / 'model.ckpt-4_temp').exists()


def test_a_lost_list_of_checkpoints_is_not_taken_for_a_damaged_one(folder, caplog):
    (folder / 'checkpoint').unlink()
    mend_checkpoints(str(folder))
    assert 'the list of checkpoints was lost; going on from step 3' in caplog.text
