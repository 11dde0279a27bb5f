"""Whole runs on features, and between features and images."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

import run
from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import MismatchError
from library.exporters.history import read_history
from library.inputs.open_data import open_all
from library.modes.feature_cache.cache import with_cached_features
from library.records.feature_manifest import MANIFEST, read_manifest
from library.runs.kept_values import read_saved
from project.options import CATALOG
from project.sources import SOURCES


@pytest.fixture(scope='module')
def data(data_dir, tmp_path_factory):
    """A copy of the data set that keeps features; all tests here share them."""
    folder = tmp_path_factory.mktemp('features') / 'data'
    for split in ('train', 'test'):
        shutil.copytree(data_dir / split, folder / split)
    return folder


@pytest.fixture(scope='module')
def train(launch, data):
    """Trains without augmentation, and so on features; 24 images in batches of 7."""

    def call(folder, **flags):
        flags = {'data_dir': data, 'train_batch_size': 7, 'no_augmentation': None, **flags}
        assert launch(folder, **flags) == 0
        return folder

    return call


@pytest.fixture(scope='module')
def trained(train, tmp_path_factory):
    return train(tmp_path_factory.mktemp('trained'), train_epochs=3)


def values(folder):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder / 'checkpoints')))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def saved_values(folder):
    saved = read_saved(str(folder))
    line = parse(['evaluate', f'--model_dir={folder}'], CATALOG, list(run.MODES))
    return resolve(CATALOG, line, saved), saved


def loss(folder, name='eval'):
    return json.loads((folder / name / 'metrics.json').read_text())['loss']


def test_a_run_on_features_keeps_the_checkpoints_of_the_whole_model(trained):
    history = read_history(str(trained / 'checkpoints'))
    assert [each['global_step'] for each in history] == [4, 7, 11]
    assert not any(name.startswith('module/') for name in values(trained))


def test_its_checkpoints_are_evaluated_on_images_with_the_same_result(launch, trained):
    history = {
        each['global_step']: each['average_loss']
        for each in read_history(str(trained / 'checkpoints'))
    }
    assert launch(trained, 'evaluate') == 0
    assert loss(trained / 'checkpoints') == pytest.approx(history[11], abs=1e-5)
    assert launch(trained, 'evaluate', model_dir=trained / 'best') == 0
    assert loss(trained / 'best') == pytest.approx(min(history.values()), abs=1e-5)


def test_evaluation_reads_features_only_where_it_is_asked(launch, trained, data, tmp_path, capsys):
    for split in ('train', 'test'):
        shutil.copytree(data / split, tmp_path / split)
    flags = {'data_dir': tmp_path}
    assert launch(trained, 'evaluate', validation_name='images', **flags) == 0
    assert not (tmp_path / '.features').exists()
    capsys.readouterr()
    assert launch(trained, 'evaluate', validation_name='new', cache_features=None, **flags) == 0
    assert '15 of 15 to compute' in capsys.readouterr().out
    assert launch(trained, 'evaluate', validation_name='ready', cache_features=None, **flags) == 0
    assert 'all 15 are there' in capsys.readouterr().out
    folder = trained / 'checkpoints'
    assert loss(folder, 'eval_new') == loss(folder, 'eval_ready')
    assert loss(folder, 'eval_images') == pytest.approx(loss(folder, 'eval_new'), abs=1e-5)


@pytest.mark.parametrize('folder', ['checkpoints', 'best'])
def test_logits_of_features_and_of_images_are_equal(trained, data, folder):
    words = ['evaluate', f'--model_dir={trained / folder}']
    images = run.open_experiment(words)
    features = with_cached_features(run.open_experiment([*words, '--cache_features']), None)
    assert features.run.eval_features.startswith(str(data))
    one, other = (
        np.stack([p['logits'] for p in each.estimator.predict(each.batches('eval'))])
        for each in (images, features)
    )
    assert one.shape == (15, 3)
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_folders_of_features_are_never_taken_from_a_saved_run(trained):
    hparams, saved = saved_values(trained / 'checkpoints')
    assert saved['train_features'].text.startswith('/')
    _, found, _, _ = open_all(hparams, saved, SOURCES, training=False)
    assert (found.train_features, found.eval_features) == (None, None)


def test_a_stop_and_a_resume_change_no_bit_of_a_run_on_features(train, trained, tmp_path):
    train(tmp_path, train_epochs=1)
    train(tmp_path, train_epochs=3)
    whole, parts = values(trained), values(tmp_path)
    assert whole.keys() == parts.keys()
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name], err_msg=name)


def test_a_run_goes_from_features_to_images_and_back(train, tmp_path, capsys):
    train(tmp_path, train_epochs=1, cache_features=None)
    train(tmp_path, train_epochs=2, no_cache_features=None)
    images = capsys.readouterr().out
    assert 'cache_features: true -> false (command line)' in images
    assert 'eval_features: ' in images
    train(tmp_path, train_epochs=3)
    assert 'features instead of images: all 39' in capsys.readouterr().out
    history = read_history(str(tmp_path / 'checkpoints'))
    assert [each['global_step'] for each in history] == [4, 7, 11]
    # Three clear colours: each part goes on learning.
    losses = [each['average_loss'] for each in history]
    assert losses == sorted(losses, reverse=True)


def test_a_run_on_augmented_copies_trains(launch, data, tmp_path):
    assert launch(tmp_path, data_dir=data, feature_copies=2) == 0
    assert [each['global_step'] for each in read_history(str(tmp_path / 'checkpoints'))] == [4, 8]
    _, saved = saved_values(tmp_path / 'checkpoints')
    assert read_manifest(saved['train_features'].text, MANIFEST).copies == 2


# A warm start that puts weights into the frozen module.


@pytest.fixture(scope='module')
def tuned(trained_copy, tmp_path_factory):
    """A fine-tuned run: its module is another than the file's."""
    return trained_copy(tmp_path_factory.mktemp('tuned'), fine_tuning=None, learning_rate=0.1)


@pytest.fixture(scope='module')
def warm(train, tuned, tmp_path_factory):
    folder = tmp_path_factory.mktemp('warm')
    return train(folder, warm_start_ckpt=tuned / 'checkpoints', train_epochs=1)


def test_features_are_computed_with_the_weights_of_a_warm_start(launch, warm, tuned):
    before, after = values(tuned), values(warm)
    module = [name for name in after if name.startswith('module/')]
    # A kernel, a bias, and four of batch norm.
    assert len(module) == 6
    for name in module:
        np.testing.assert_array_equal(after[name], before[name], err_msg=name)
    (history,) = read_history(str(warm / 'checkpoints'))
    assert launch(warm, 'evaluate') == 0
    assert loss(warm / 'checkpoints') == pytest.approx(history['average_loss'], abs=1e-5)


def test_features_are_refused_to_a_checkpoint_with_another_module(launch, warm, tuned, trained):
    # The module before it was tuned; and a checkpoint without a module.
    for other in (tuned / 'checkpoints' / 'model.ckpt-0', trained / 'checkpoints'):
        flags = {'cache_features': None, 'validation_checkpoint': other}
        with pytest.raises(MismatchError, match='not known to be that of the run') as error:
            launch(warm, 'evaluate', **flags)
        assert error.value.exit_code == 4


def test_features_are_read_with_other_checkpoints_of_the_same_module(launch, warm, tuned):
    for other in ('0', 'best', tuned / 'checkpoints'):
        flags = {'validation_checkpoint': other}
        if other == 'best':
            flags['best_model_dir'] = warm / 'best'
        assert launch(warm, 'evaluate', validation_name='images', **flags) == 0
        flags['cache_features'] = None
        assert launch(warm, 'evaluate', validation_name='features', **flags) == 0
        images, features = (loss(warm / 'checkpoints', f'eval_{n}') for n in ('images', 'features'))
        assert features == pytest.approx(images, abs=1e-5)


def test_these_features_are_others_than_those_of_the_module_itself(warm, trained):
    folders = {
        line
        for folder in (warm, trained)
        for line in (folder / 'checkpoints' / 'hparams.yaml').read_text().splitlines()
        if line.startswith('eval_features: ')
    }
    assert len(folders) == 2


def test_a_module_without_variables_gets_none_from_a_checkpoint(
    train, launch, tuned, data, tmp_path
):
    module = tf.Module()
    spec = tf.TensorSpec([None, 32, 32, 3])
    module.__call__ = tf.function(
        lambda images: tf.reshape(tf.image.resize(images, [2, 4])[..., 0], [-1, 8]),
        input_signature=[spec],
    )
    tf.saved_model.save(module, str(tmp_path / 'module'))
    flags = {'module': tmp_path / 'module', 'warm_start_ckpt': tuned / 'checkpoints'}
    train(tmp_path / 'run', train_epochs=1, **flags)
    shutil.rmtree(data / '.features')
    assert launch(tmp_path / 'run', 'evaluate', cache_features=None) == 0


def test_a_warm_started_run_goes_on_with_its_own_weights(
    train, launch, warm, tuned, data, tmp_path, capsys
):
    shutil.copytree(warm, tmp_path / 'run')
    shutil.rmtree(data / '.features')
    capsys.readouterr()
    flags = {'warm_start_ckpt': tuned / 'checkpoints', 'train_epochs': 2}
    train(tmp_path / 'run', **flags)
    out = capsys.readouterr().out
    assert 'features instead of images: 39 of 39 to compute' in out
    assert 'warm start from' not in out
    history = read_history(str(tmp_path / 'run' / 'checkpoints'))
    for words in ({}, {'cache_features': None}):
        assert launch(tmp_path / 'run', 'evaluate', **words) == 0
        found = loss(tmp_path / 'run' / 'checkpoints')
        assert found == pytest.approx(history[-1]['average_loss'], abs=1e-5)
