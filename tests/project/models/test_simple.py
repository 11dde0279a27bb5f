"""The model `simple`."""

from __future__ import annotations

import json

import pytest
import tensorflow as tf

from project.models.simple import CHANNELS, SimpleModel

pytestmark = pytest.mark.train


def test_it_learns_three_colors_from_nothing(launch, tmp_path):
    flags = {'model': 'simple', 'image_size': 32, 'dropout_rate': 0}
    assert launch(tmp_path, train_epochs=10, epochs_between_evals=10, **flags) == 0
    assert launch(tmp_path, 'evaluate') == 0
    metrics = json.loads((tmp_path / 'checkpoints' / 'eval' / 'metrics.json').read_text())
    assert metrics['accuracy'] == 1.0


def test_its_default_image_size_is_224(launch, tmp_path):
    assert launch(tmp_path, model='simple', train_epochs=1, train_batch_size=24) == 0
    assert 'image_size: 224' in (tmp_path / 'checkpoints' / 'hparams.yaml').read_text()
    names = [name for name, _ in tf.train.list_variables(str(tmp_path / 'checkpoints'))]
    assert 'trunk/conv0/kernel' in names
    assert 'head/logits/bias' in names


@pytest.mark.graph
def test_its_features_are_a_mean_of_each_channel_of_the_last_convolution():
    model = SimpleModel(SimpleModel.options_class(), num_classes=3, random_seed=0)
    with tf.Graph().as_default():
        model.build(tf.zeros([2, 32, 32, 3]), training=False)
    assert model.features.shape == [2, CHANNELS[-1]]
