"""What --warm_start_ckpt may name, and which names lie in it."""

from __future__ import annotations

import shutil

import pytest
import tensorflow as tf

from library.checkpoints.names import find_warm_start, read_checkpoint
from library.errors import ConfigError, MismatchError


@pytest.fixture
def run(tmp_path):
    """A folder with two checkpoints of a run, of which model.ckpt-8 is the newer one."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.get_variable('head/kernel', [8, 3])
        tf.compat.v1.train.get_or_create_global_step()
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(save_relative_paths=True)
        for step in (4, 8):
            saver.save(session, str(tmp_path / 'run' / 'model.ckpt'), step)
    return tmp_path / 'run'


@pytest.mark.parametrize(
    ('given', 'found'),
    [
        ('', 'model.ckpt-8'),
        ('model.ckpt-4', 'model.ckpt-4'),
        ('model.ckpt-4.index', 'model.ckpt-4'),
    ],
)
def test_a_checkpoint_is_meant_by_its_path_or_by_its_folder(run, given, found):
    assert find_warm_start(str(run / given)) == str(run / found)


def test_a_moved_run_is_found_where_it_is(run, tmp_path):
    run.rename(tmp_path / 'moved')
    assert find_warm_start(str(tmp_path / 'moved')) == str(tmp_path / 'moved' / 'model.ckpt-8')


def test_a_saved_model_is_meant_by_its_folder(tmp_path):
    tf.saved_model.save(tf.train.Checkpoint(v=tf.Variable(1.0)), str(tmp_path))
    assert find_warm_start(str(tmp_path)) == str(tmp_path / 'variables' / 'variables')


@pytest.mark.parametrize('what', ['nothing', 'an empty folder', 'a file', 'an empty list'])
def test_where_there_is_nothing_the_path_is_named(tmp_path, what):
    path = tmp_path / 'start'
    if 'folder' in what or 'list' in what:
        path.mkdir()
    if what == 'an empty list':
        (path / 'checkpoint').touch()
    if what == 'a file':
        path.touch()
    with pytest.raises(ConfigError) as error:
        find_warm_start(str(path))
    assert error.value.exit_code == 2
    assert str(error.value) == (
        f'--warm_start_ckpt {path}: no checkpoint, folder of checkpoints or SavedModel there'
    )


def test_a_damaged_checkpoint_is_named(run):
    data = run / 'model.ckpt-8.data-00000-of-00001'
    data.write_bytes(data.read_bytes()[:-10])
    with pytest.raises(MismatchError, match=r'the checkpoint .*model\.ckpt-8 is damaged') as error:
        find_warm_start(str(run))
    assert error.value.exit_code == 4


def test_what_is_about_to_be_emptied_is_nothing_to_start_from(run, tmp_path):
    (tmp_path / 'link').symlink_to(run)
    shutil.copytree(run, tmp_path / 'run-2')
    for path in (run, run / 'model.ckpt-4', tmp_path / 'link'):
        with pytest.raises(ConfigError, match='lies in the folder that --clean empties'):
            find_warm_start(str(path), emptied=str(run))
    assert find_warm_start(str(tmp_path / 'run-2'), emptied=str(run)).endswith('run-2/model.ckpt-8')


def test_a_checkpoint_in_ram_is_refused_as_tensorflow_would_not_find_it(run):
    for path in run.iterdir():
        tf.io.gfile.copy(str(path), f'ram://warm/{path.name}', overwrite=True)
    with pytest.raises(ConfigError, match=r'would take ram://warm/model\.ckpt-8 for a folder'):
        find_warm_start('ram://warm')


def test_names_are_those_of_the_variables(run, tmp_path):
    checkpoint = read_checkpoint(str(run / 'model.ckpt-8'))
    assert list(checkpoint.variables) == ['global_step', 'head/kernel']
    assert checkpoint.variables['head/kernel'].shape == [8, 3]
    objects = tf.train.Checkpoint(layer=tf.Variable([1.0, 2.0], name='stem/kernel'))
    tf.saved_model.save(objects, str(tmp_path / 'saved'))
    saved = read_checkpoint(find_warm_start(str(tmp_path / 'saved')))
    assert saved.variables['stem/kernel'].keys == ('layer/.ATTRIBUTES/VARIABLE_VALUE',)
    assert saved.name_of('module/stem/kernel') == 'stem/kernel'
    assert saved.name_of('module/kernel') is None
