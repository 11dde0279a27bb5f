"""The model `hub`: frozen it stays, tuned it moves, and checkpoints hold what they must."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from library.errors import MismatchError
from library.exporters.history import read_history
from tests.conftest import save_tf1

pytestmark = pytest.mark.train


def checkpoint_values(folder):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder)))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def module_values(module_dir):
    return {
        v.name.removesuffix(':0'): v.numpy() for v in tf.saved_model.load(str(module_dir)).variables
    }


@pytest.fixture(scope='module')
def frozen(trained_copy, tmp_path_factory):
    return trained_copy(tmp_path_factory.mktemp('frozen'))


@pytest.fixture(scope='module')
def tuned(trained_copy, tmp_path_factory):
    return trained_copy(tmp_path_factory.mktemp('tuned'), fine_tuning=None)


def test_a_frozen_module_stays_out_of_the_checkpoints(frozen):
    names = set(checkpoint_values(frozen / 'checkpoints'))
    assert {name for name in names if not name.startswith('head/')} == {
        'global_step',
        'beta1_power',
        'beta2_power',
    }
    assert 'head/logits/kernel' in names


def test_a_frozen_run_trains_the_head(frozen):
    kernels = [
        tf.train.load_variable(
            str(frozen / 'checkpoints' / f'model.ckpt-{step}'), 'head/logits/kernel'
        )
        for step in (0, 8)
    ]
    assert (kernels[0] != kernels[1]).any()


def test_fine_tuning_changes_kernels_and_batch_norm_statistics_of_the_module(tuned, module_dir):
    saved = checkpoint_values(tuned / 'checkpoints')
    before = module_values(module_dir)
    assert len(before) == 6  # a kernel, a bias, and four of batch norm
    for name, value in before.items():
        assert (saved[f'module/{name}'] != value).any(), name


def test_fine_tuning_can_leave_batch_norm_as_it_is(launch, tmp_path, module_dir):
    assert launch(tmp_path, train_epochs=1, fine_tuning=None, no_train_batch_norm=None) == 0
    saved = checkpoint_values(tmp_path / 'checkpoints')
    changed = {
        name.rsplit('/', 1)[1]
        for name, value in module_values(module_dir).items()
        if (saved[f'module/{name}'] != value).any()
    }
    assert changed == {'kernel', 'bias', 'gamma', 'beta'}


def test_fine_tuning_starts_from_the_modules_own_values(tuned, module_dir):
    first = str(tuned / 'checkpoints' / 'model.ckpt-0')
    for name, value in module_values(module_dir).items():
        np.testing.assert_array_equal(tf.train.load_variable(first, f'module/{name}'), value)


def test_the_modules_own_losses_are_added_when_fine_tuning(launch, tmp_path, tuned):
    def first_loss(folder):
        events = sorted((folder / 'checkpoints').glob('events.*'))[0]
        for event in tf.compat.v1.train.summary_iterator(str(events)):
            for value in event.summary.value:
                if value.tag == 'loss':
                    return value.simple_value
        raise AssertionError('no loss was written')

    assert launch(tmp_path, train_epochs=1, dropout_rate=0) == 0
    frozen_loss = first_loss(tmp_path)
    other = tmp_path / 'tuned'
    assert launch(other, train_epochs=1, dropout_rate=0, fine_tuning=None) == 0
    # The module's L2 penalty of 1e-2 on a 3x3x3x8 kernel is far above rounding.
    assert abs(first_loss(other) - frozen_loss) > 1e-3


def test_a_frozen_run_evaluates_the_same_in_a_new_start(launch, frozen):
    """The module's variables come from the module again, not from the checkpoint."""
    assert launch(frozen, 'evaluate') == 0
    again = json.loads((frozen / 'checkpoints' / 'eval' / 'metrics.json').read_text())
    then = read_history(str(frozen / 'checkpoints'))[-1]
    assert again['loss'] == pytest.approx(then['average_loss'], rel=1e-6)


def test_another_module_of_the_same_shape_is_refused(launch, frozen, module_dir, tmp_path):
    module = tf.saved_model.load(str(module_dir))
    module.variables[0].assign_add(tf.ones_like(module.variables[0]))
    tf.saved_model.save(module, str(tmp_path / 'other'))
    for mode in ('train', 'evaluate'):
        with pytest.raises(MismatchError, match='was trained on another module') as error:
            launch(frozen, mode, module=tmp_path / 'other')
        assert error.value.exit_code == 4


def test_the_same_module_in_another_place_is_the_same(launch, frozen, module_dir, tmp_path):
    shutil.copytree(module_dir, tmp_path / 'moved')
    assert launch(frozen, 'evaluate', module=tmp_path / 'moved') == 0


def test_a_frozen_tf1_module_trains_and_evaluates(launch, tmp_path):
    save_tf1(tmp_path / 'tf1')
    assert launch(tmp_path, module=tmp_path / 'tf1', train_epochs=1) == 0
    assert launch(tmp_path, 'evaluate') == 0
    assert not any(n.startswith('module/') for n in checkpoint_values(tmp_path / 'checkpoints'))


def test_a_frozen_run_cannot_go_on_as_fine_tuning(launch, frozen):
    with pytest.raises(
        MismatchError, match=r'holds no module/.*choose another --model_dir'
    ) as error:
        launch(frozen, fine_tuning=None, train_epochs=3)
    assert error.value.exit_code == 4


def test_a_fine_tuned_run_cannot_go_on_frozen(launch, tuned):
    with pytest.raises(MismatchError, match='holds a fine-tuned module'):
        launch(tuned, train_epochs=3)


def test_another_image_size_than_the_modules_is_refused(launch, tmp_path):
    with pytest.raises(MismatchError, match='takes images of 32 pixels, not --image_size 64'):
        launch(tmp_path, image_size=64)


def test_a_tf1_module_cannot_be_fine_tuned_and_says_so_before_any_graph(launch, tmp_path):
    save_tf1(tmp_path / 'tf1')
    with pytest.raises(MismatchError, match='in the TF1 format cannot be fine-tuned') as error:
        launch(tmp_path, module=tmp_path / 'tf1', fine_tuning=None)
    assert error.value.exit_code == 4


def test_a_module_without_feature_vectors_is_refused(launch, tmp_path):
    module = tf.Module()
    spec = tf.TensorSpec([None, 32, 32, 3])
    module.__call__ = tf.function(lambda images: images[:, ::8], input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path / 'maps'))
    with pytest.raises(MismatchError, match='expected feature vectors'):
        launch(tmp_path, module=tmp_path / 'maps')


def test_a_module_of_free_size_takes_the_image_size_asked_for(launch, tmp_path):
    module = tf.Module()
    spec = tf.TensorSpec([None, None, None, 3])
    module.__call__ = tf.function(
        lambda images: tf.reduce_mean(images, [1, 2]), input_signature=[spec]
    )
    tf.saved_model.save(module, str(tmp_path / 'free'))
    assert launch(tmp_path, module=tmp_path / 'free', image_size=16, train_epochs=1) == 0
    assert 'image_size: 16' in (tmp_path / 'checkpoints' / 'hparams.yaml').read_text()
