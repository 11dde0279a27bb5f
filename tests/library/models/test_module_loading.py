"""What a module's files say, and whether they are whole."""

from __future__ import annotations

import shutil

import pytest
import tensorflow as tf

from library.errors import MismatchError, ResourceError
from library.models.module_loading import (
    check_features,
    inspect_module,
    load_module,
    random_operations,
    warn_of_randomness,
)
from tests.conftest import save_tf1

pytestmark = pytest.mark.train


def save(folder, function, *signature):
    module = tf.Module()
    module.__call__ = tf.function(function, input_signature=list(signature))
    tf.saved_model.save(module, str(folder))
    return str(folder)


def test_the_image_size_is_read_from_the_file(module_dir):
    info = inspect_module(str(module_dir))
    assert info.image_size == 32
    assert not info.is_tf1


def test_a_module_of_free_size_says_none(tmp_path):
    spec = tf.TensorSpec([None, None, None, 3])
    folder = save(tmp_path / 'free', lambda images: tf.reduce_mean(images, [1, 2]), spec)
    assert inspect_module(folder).image_size is None


def test_a_module_that_takes_no_images_does_not_fit(tmp_path):
    folder = save(
        tmp_path / 'text', lambda texts: tf.strings.length(texts), tf.TensorSpec([None], tf.string)
    )
    with pytest.raises(MismatchError, match='takes no batch of RGB images') as error:
        inspect_module(folder)
    assert error.value.exit_code == 4


def test_a_module_of_other_than_square_images_does_not_fit(tmp_path):
    spec = tf.TensorSpec([None, 32, 64, 3])
    folder = save(tmp_path / 'wide', lambda images: tf.reduce_mean(images, [1, 2]), spec)
    with pytest.raises(MismatchError, match='takes images of 32x64, not square'):
        inspect_module(folder)


def test_a_damaged_file_is_named(module_dir, tmp_path):
    shutil.copytree(module_dir, tmp_path / 'damaged')
    (tmp_path / 'damaged' / 'saved_model.pb').write_bytes(b'\xff\xff\xff')
    with pytest.raises(ResourceError, match=r'saved_model\.pb is damaged'):
        inspect_module(str(tmp_path / 'damaged'))


def test_a_module_in_the_tf1_format_is_known_as_such(tmp_path):
    save_tf1(tmp_path / 'tf1')
    info = inspect_module(str(tmp_path / 'tf1'))
    assert info.is_tf1
    assert info.image_size == 32


def test_a_tf1_savedmodel_that_is_no_hub_module_is_refused(tmp_path):
    save_tf1(tmp_path / 'tf1')
    (tmp_path / 'tf1' / 'tfhub_module.pb').unlink()
    with pytest.raises(MismatchError, match='a SavedModel of TensorFlow 1, but no TF-Hub module'):
        inspect_module(str(tmp_path / 'tf1'))


@pytest.mark.parametrize(
    ('spec', 'message'),
    [
        (tf.TensorSpec([None, 32, 32, 3], tf.uint8), r'takes uint8 \[-1, 32, 32, 3\]'),
        (tf.TensorSpec([4, 32, 32, 3]), r'takes float32 \[4, 32, 32, 3\], expected .* any length'),
    ],
)
def test_another_type_or_a_fixed_batch_does_not_fit(tmp_path, spec, message):
    folder = save(tmp_path / 'odd', lambda images: tf.cast(images, tf.float32)[:, 0, 0], spec)
    with pytest.raises(MismatchError, match=message):
        inspect_module(folder)


@pytest.mark.parametrize('how', ['missing', 'cut', 'all missing'])
def test_damaged_variables_are_noticed_before_anything_is_built(module_dir, tmp_path, how):
    folder = tmp_path / 'damaged'
    shutil.copytree(module_dir, folder)
    data = folder / 'variables' / 'variables.data-00000-of-00001'
    if how == 'cut':
        data.write_bytes(data.read_bytes()[:-100])
    elif how == 'missing':
        data.unlink()
    else:
        shutil.rmtree(folder / 'variables')
    with pytest.raises(ResourceError, match='the variables of the module are missing or damaged'):
        inspect_module(str(folder))


def test_the_digest_follows_the_content_and_not_the_place(module_dir, tmp_path):
    shutil.copytree(module_dir, tmp_path / 'copy')
    digest = inspect_module(str(module_dir)).digest
    assert inspect_module(str(tmp_path / 'copy')).digest == digest
    other = save(
        tmp_path / 'other',
        lambda images: tf.reduce_mean(images, [1, 2]),
        tf.TensorSpec([None, 32, 32, 3]),
    )
    assert inspect_module(other).digest != digest


def test_what_cannot_be_loaded_is_one_line(tmp_path):
    (tmp_path / 'saved_model.pb').write_bytes(b'')
    with pytest.raises(ResourceError, match='the module cannot be loaded') as error:
        load_module(str(tmp_path), trainable=False)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('features', [{'a': 1}, tf.zeros([1, 2, 3])])
def test_only_feature_vectors_are_features(features):
    with pytest.raises(MismatchError, match='expected feature vectors'):
        check_features(features, 'module')


@pytest.fixture(scope='module')
def with_dropout(tmp_path_factory):
    """A saved network that draws random numbers where it is trained."""
    layers = tf.keras.layers
    network = tf.keras.Sequential(
        [
            layers.InputLayer((8, 8, 3)),
            layers.Conv2D(2, 3),
            layers.Dropout(0.5),
            layers.GlobalAveragePooling2D(),
        ]
    )
    folder = tmp_path_factory.mktemp('with_dropout')
    tf.saved_model.save(network, str(folder))
    return str(folder)


@pytest.mark.parametrize(('training', 'expected'), [(True, ['RandomUniform']), (False, [])])
def test_random_operations_count_where_they_are_called(with_dropout, training, expected):
    with tf.Graph().as_default():
        images = tf.zeros([1, 8, 8, 3])
        # Of the images before the module, such as augmentation, nothing is asked.
        images += tf.random.uniform([1, 8, 8, 3])
        features = load_module(with_dropout, trainable=True)(images, training=training)
        assert random_operations(images, features) == expected


def test_random_operations_in_a_branch_are_found_and_stateless_ones_are_none():
    with tf.Graph().as_default():
        images = tf.compat.v1.placeholder(tf.float32, [None, 3])
        noisy = tf.cond(
            tf.reduce_sum(images) > 0,
            lambda: tf.random.shuffle(images),
            lambda: tf.random.normal(tf.shape(images)),
        )
        assert random_operations(images, noisy) == ['RandomShuffle', 'RandomStandardNormal']
        stateless = tf.random.stateless_uniform(tf.shape(images), [1, 2]) + images
        assert random_operations(images, stateless) == []


def test_a_module_that_draws_random_numbers_is_named_in_one_line(with_dropout, caplog):
    with tf.Graph().as_default():
        images = tf.zeros([1, 8, 8, 3])
        module = load_module(with_dropout, trainable=True)
        warn_of_randomness('calm', images, module(images, training=False))
        assert caplog.messages == []
        warn_of_randomness('lively', images, module(images, training=True))
    (message,) = caplog.messages
    assert message.startswith(
        'warning: lively: the module draws random numbers of its own (RandomUniform): this run '
        'will not be bit-identical'
    )


@pytest.mark.parametrize(('flags', 'count'), [({'fine_tuning': None}, 1), ({}, 0)])
def test_a_run_with_such_a_module_is_reported_once_and_a_frozen_one_is_not(
    launch, with_dropout, tmp_path, caplog, flags, count
):
    assert launch(tmp_path, module=with_dropout, train_epochs=1, **flags) == 0
    warnings = [each for each in caplog.messages if 'draws random numbers of its own' in each]
    assert len(warnings) == count
    assert all(f'warning: {with_dropout}: ' in each for each in warnings)
