"""Runs that start from another run: frozen, then fine-tuned, and the other way round."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from library.errors import ConfigError, MismatchError
from library.training.options import FineTuningOptions
from library.training.warm_start import module_weights_digest
from tests.conftest import convert_folder, draw_images

# So small that no step moves anything that float32 can show.
STILL = 1e-12


@pytest.fixture(scope='module')
def frozen(trained_copy, tmp_path_factory):
    return trained_copy(tmp_path_factory.mktemp('frozen'))


@pytest.fixture(scope='module')
def tuned(trained_copy, tmp_path_factory):
    """Fine-tuned with large steps: its features are far from the module's."""
    return trained_copy(tmp_path_factory.mktemp('tuned'), fine_tuning=None, learning_rate=0.1)


@pytest.fixture(scope='module')
def refrozen(launch, tuned, tmp_path_factory):
    """A frozen run that took module and head from the fine-tuned one, and kept them."""
    folder = tmp_path_factory.mktemp('refrozen')
    assert launch(folder, warm_start_ckpt=tuned / 'checkpoints', learning_rate=STILL) == 0
    return folder


def values(folder, step=None):
    checkpoint = folder / 'checkpoints' / f'model.ckpt-{step}'
    path = tf.train.latest_checkpoint(str(checkpoint.parent)) if step is None else str(checkpoint)
    reader = tf.train.load_checkpoint(path)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def metrics(folder):
    return json.loads((folder / 'eval' / 'metrics.json').read_text())


def assert_equal(first, second, prefix):
    names = [name for name in first if name.startswith(prefix)]
    names = [name for name in names if 'Adam' not in name and '_power' not in name]
    assert names
    for name in names:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_fine_tuning_goes_on_from_a_frozen_runs_head(launch, frozen, tmp_path, capsys):
    flags = {'warm_start_ckpt': frozen / 'best', 'train_epochs': 1}
    assert launch(tmp_path, fine_tuning=None, **flags) == 0
    out = capsys.readouterr().out
    assert f'warm start from {frozen}/best/model.ckpt-' in out
    assert '  restored  head/logits/kernel  [8, 3]\n' in out
    assert '  new       module/             6 variables, 256 values  (from the module)\n' in out
    path = tf.train.latest_checkpoint(str(frozen / 'best'))
    first = values(tmp_path, step=0)
    for name in ('head/logits/kernel', 'head/logits/bias'):
        np.testing.assert_array_equal(first[name], tf.train.load_variable(path, name))
    assert first['global_step'] == 0


def test_a_frozen_module_keeps_the_weights_that_a_warm_start_gave_it(tuned, refrozen):
    before = values(tuned)
    assert_equal(before, values(refrozen, step=0), 'module/')
    assert_equal(before, values(refrozen, step=0), 'head/')
    assert_equal(before, values(refrozen), 'module/')
    assert not [n for n in values(refrozen) if n.startswith('module/') and 'Adam' in n]


def test_features_are_those_of_the_fine_tuned_module_wherever_it_is_evaluated(
    launch, tuned, refrozen, frozen
):
    for folder in (tuned, refrozen):
        assert launch(folder, 'evaluate') == 0
    expected = metrics(tuned / 'checkpoints')['loss']
    assert metrics(refrozen / 'checkpoints')['loss'] == pytest.approx(expected, rel=1e-6)
    assert launch(refrozen, 'evaluate', model_dir=refrozen / 'best') == 0
    assert metrics(refrozen / 'best')['loss'] == pytest.approx(expected, rel=1e-6)
    # Not the features that the module itself would give.
    own = json.loads((frozen / 'checkpoints/eval/history.jsonl').read_text().splitlines()[-1])
    assert abs(expected - own['average_loss']) > 1e-2


def test_the_run_keeps_where_its_module_came_from(launch, tuned, refrozen, capsys):
    options = FineTuningOptions(warm_start_ckpt=str(tuned / 'checkpoints'))
    digest = module_weights_digest(options)
    saved = refrozen / 'checkpoints' / 'hparams.yaml'
    assert f'module_from: {digest}  # warm start\n' in saved.read_text()
    # Once more, longer, with the warm start named again: and then without.
    flags = {'warm_start_ckpt': tuned / 'checkpoints', 'learning_rate': STILL}
    capsys.readouterr()
    assert launch(refrozen, train_epochs=3, **flags) == 0
    out = capsys.readouterr().out
    assert '--warm_start_ckpt is ignored: the run goes on from its model.ckpt-8\n' in out
    assert 'warm start from' not in out
    assert launch(refrozen, train_epochs=4, learning_rate=STILL) == 0
    assert f'module_from: {digest}' in saved.read_text()
    assert_equal(values(tuned), values(refrozen), 'module/')


def test_without_the_modules_weights_a_frozen_run_stays_as_small_as_any(launch, tuned, tmp_path):
    flags = {'warm_start_ckpt': tuned / 'checkpoints', 'checkpoint_exclude_scopes': 'module'}
    assert launch(tmp_path, train_epochs=1, **flags) == 0
    assert not [name for name in values(tmp_path) if name.startswith('module/')]
    assert 'module_from: null' in (tmp_path / 'checkpoints' / 'hparams.yaml').read_text()


def test_a_fine_tuned_run_cannot_go_on_frozen_by_a_warm_start_from_itself(launch, tuned):
    with pytest.raises(MismatchError, match='the checkpoint holds a fine-tuned module'):
        launch(tuned, train_epochs=3, warm_start_ckpt=tuned / 'checkpoints')


def test_a_frozen_run_that_cannot_be_fine_tuned_is_told_how(launch, frozen):
    with pytest.raises(MismatchError) as error:
        launch(frozen, fine_tuning=None, train_epochs=3)
    assert str(error.value).endswith(
        'choose another --model_dir, with this checkpoint as its --warm_start_ckpt'
    )
    assert error.value.exit_code == 4


def test_other_classes_start_with_a_new_last_layer(launch, tuned, tmp_path, capsys):
    images = draw_images(tmp_path / 'images', per_class=4)
    for path in (images / 'red').iterdir():
        path.unlink()
    (images / 'red').rmdir()
    for split in ('train', 'test'):
        convert_folder(images, tmp_path / 'data' / split, split)
    flags = {'data_dir': tmp_path / 'data', 'warm_start_ckpt': tuned / 'checkpoints'}
    assert launch(tmp_path, fine_tuning=None, train_epochs=1, **flags) == 0
    out = capsys.readouterr().out
    assert 'the classes differ (3 there, 2 here): the last layer starts over\n' in out
    first = values(tmp_path, step=0)
    assert first['head/logits/kernel'].shape == (8, 2)
    assert_equal(values(tuned), first, 'module/')


@pytest.mark.parametrize('fine_tuning', [False, True])
def test_what_is_not_there_is_reported_before_anything_is_built(launch, tmp_path, fine_tuning):
    flags = {'fine_tuning': None} if fine_tuning else {}
    with pytest.raises(ConfigError, match=r'--warm_start_ckpt .*nowhere: no checkpoint') as error:
        launch(tmp_path, warm_start_ckpt=tmp_path / 'nowhere', **flags)
    assert error.value.exit_code == 2
    assert not (tmp_path / 'checkpoints').exists()


def test_the_folder_that_is_emptied_first_is_none_to_start_from(launch, frozen):
    before = sorted((frozen / 'checkpoints').iterdir())
    with pytest.raises(ConfigError, match='lies in the folder that --clean empties'):
        launch(frozen, clean=None, warm_start_ckpt=frozen / 'checkpoints')
    assert sorted((frozen / 'checkpoints').iterdir()) == before
