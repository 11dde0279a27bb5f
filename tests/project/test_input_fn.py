"""The whole chain, on converted images."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ConfigError
from library.inputs.options import FITS, PAD
from library.records.example import parse_example
from library.records.feature_manifest import MANIFEST, FeatureManifest, write_manifest
from library.records.features import write_feature_shard
from library.records.split_folders import open_split
from project.options import CATALOG
from tests.feeding import feed, feed_stored

TRAIN, EVAL = tf.estimator.ModeKeys.TRAIN, tf.estimator.ModeKeys.EVAL


@pytest.fixture
def hparams(data_dir, tmp_path):
    def make(**flags):
        values = {'data_dir': data_dir, 'image_size': 32, 'batch_size': 7, 'model_dir': tmp_path}
        values |= flags
        values |= {'train_batch_size': 'none', 'eval_split': 'test'}
        words = [f'--{name}={value}' for name, value in values.items()]
        return resolve(CATALOG, parse(words, CATALOG))

    return make


def batches(params, mode, count=None, context=None):
    dataset = feed(params, mode, context)
    return [(f['image'].numpy(), labels.numpy()) for f, labels in itertools.islice(dataset, count)]


def stored_labels(data_dir, split):
    records = tf.data.TFRecordDataset(open_split(str(data_dir), split).shard_paths)
    return [int(parse_example(record)['label']) for record in records]


def test_evaluation_gives_every_example_once_in_stored_order(hparams, data_dir):
    fed = batches(hparams(), EVAL)
    assert [len(labels) for _, labels in fed] == [7, 7, 1]
    assert np.concatenate([labels for _, labels in fed]).tolist() == stored_labels(data_dir, 'test')


def test_images_are_bytes_of_the_size_asked_for(hparams):
    images, labels = batches(hparams(image_size=48), EVAL, 1)[0]
    assert images.shape == (7, 48, 48, 3)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64


def test_training_batches_are_full_and_an_epoch_holds_every_example(hparams, data_dir):
    fed = batches(hparams(batch_size=8), TRAIN, 3)
    assert [len(labels) for _, labels in fed] == [8, 8, 8]
    counts = np.bincount(np.concatenate([labels for _, labels in fed]))
    assert counts.tolist() == [8, 8, 8]


def test_training_goes_on_past_the_end_of_the_data(hparams):
    assert len(batches(hparams(batch_size=10), TRAIN, 9)) == 9


def test_the_same_seed_feeds_the_same_pixels(hparams):
    first, again = (batches(hparams(), TRAIN, 6) for _ in range(2))
    for (images, labels), (more_images, more_labels) in zip(first, again, strict=True):
        np.testing.assert_array_equal(images, more_images)
        np.testing.assert_array_equal(labels, more_labels)


def test_another_seed_feeds_in_another_order(hparams):
    first, other = (batches(hparams(random_seed=seed), TRAIN, 2) for seed in (0, 1))
    assert (first[0][0] != other[0][0]).any()


def test_two_epochs_come_in_different_orders_and_are_augmented_differently(hparams):
    (first, labels), (second, more_labels) = batches(hparams(batch_size=24), TRAIN, 2)
    assert labels.tolist() != more_labels.tolist()
    assert not {image.tobytes() for image in first} & {image.tobytes() for image in second}


def test_debug_feeds_the_training_images_in_stored_order(hparams, data_dir):
    fed = batches(hparams(debug='true', batch_size=12), TRAIN, 2)
    labels = np.concatenate([labels for _, labels in fed]).tolist()
    assert labels == stored_labels(data_dir, 'train')


def test_without_augmentation_training_sees_what_evaluation_sees(hparams):
    plain = hparams(augmentation='false', debug='true', batch_size=24)
    plain = plain.with_values('this test', eval_split='train')
    trained, evaluated = batches(plain, TRAIN, 1)[0], batches(plain, EVAL, 1)[0]
    np.testing.assert_array_equal(trained[0], evaluated[0])


@pytest.mark.parametrize('fit', FITS)
def test_random_changes_leave_about_the_shape_of_evaluation(hparams, wide_data_dir, fit):
    wide = {'data_dir': wide_data_dir, 'fit': fit, 'debug': 'true', 'batch_size': 24}
    images = batches(hparams(**wide), TRAIN, 1)[0][0].astype(int)
    assert images.shape == (24, 32, 32, 3)
    # Of 96x32: a window of its shape stands between two plain stripes.
    is_plain = np.ptp(images, axis=2).max(axis=2) == 0
    assert is_plain[:, :9].all() == is_plain[:, 23:].all() == (fit == PAD)
    assert not is_plain[:, 12:20].any()
    # Windows of about a square come from everywhere, also from where evaluation sees nothing.
    assert (np.ptp(images, axis=3) > 60).any()
    plain = hparams(**wide, augmentation='false').with_values('this test', eval_split='train')
    trained, evaluated = batches(plain, TRAIN, 1)[0], batches(plain, EVAL, 1)[0]
    np.testing.assert_array_equal(trained[0], evaluated[0])


@pytest.mark.parametrize(
    'flag',
    ['random_crop', 'random_flip', 'random_brightness', 'random_contrast', 'random_saturation'],
)
def test_each_augmentation_works_alone_and_can_be_switched_off(hparams, flag):
    off = dict.fromkeys(['random_crop', 'random_flip'], 'false')
    off |= dict.fromkeys(['random_brightness', 'random_contrast', 'random_saturation'], '0')
    on = {**off, flag: '0.5' if off[flag] == '0' else 'true'}
    plain, none, one = (
        batches(hparams(debug='true', **flags), TRAIN, 1)[0][0]
        for flags in ({'augmentation': 'false'}, off, on)
    )
    np.testing.assert_array_equal(plain, none)
    assert (plain != one).any()


def test_the_host_can_be_named_as_device(hparams):
    assert len(batches(hparams(prefetch_to_device='/cpu:0'), EVAL)) == 3


def test_no_tuning_of_the_pipeline_changes_what_is_fed(hparams):
    tuned = hparams(num_parallel_calls=3, prefetch_batches=5)
    for plain, other in zip(batches(hparams(), TRAIN, 4), batches(tuned, TRAIN, 4), strict=True):
        np.testing.assert_array_equal(plain[0], other[0])


@pytest.mark.parametrize('mode', ['train', 'eval'])
def test_no_thread_tunes_the_chain_for_which_a_session_would_wait(hparams, mode):
    assert feed(hparams(), mode).options().autotune.enabled is False


def test_a_split_that_is_not_there_names_the_command_that_makes_it(hparams, tmp_path):
    params = hparams().with_values('this test', data_dir=str(tmp_path))
    with pytest.raises(
        ConfigError, match=r'train: no converted images; .*make them with: .*python convert'
    ):
        feed(params, TRAIN)


def images_of(dataset):
    return np.concatenate([features['image'].numpy() for features, _ in dataset])


def test_stored_images_are_each_image_once_as_evaluation_sees_it(hparams, data_dir):
    params = hparams(debug='true')
    for training, split in ((True, 'train'), (False, 'test')):
        dataset = feed_stored(params, training=training, augmented=False)
        labels = np.concatenate([labels.numpy() for _, labels in dataset])
        assert labels.tolist() == stored_labels(data_dir, split)
    plain = hparams(debug='true', augmentation='false', batch_size=24)
    ((expected, _),) = batches(plain, TRAIN, 1)
    stored = feed_stored(params, training=True, augmented=False)
    np.testing.assert_array_equal(images_of(stored), expected)


def test_stored_images_of_a_copy_are_those_of_an_epoch_in_stored_order(hparams):
    params = hparams(debug='true', batch_size=24)
    epochs = [images for images, _ in batches(params, TRAIN, 3)]
    assert (epochs[0] != epochs[1]).any()
    for copy, expected in enumerate(epochs):
        dataset = feed_stored(params, training=True, augmented=True, first=24 * copy)
        np.testing.assert_array_equal(images_of(dataset), expected)


def test_stored_images_can_start_within_a_copy_and_end_with_it(hparams):
    params = hparams()
    whole = images_of(feed_stored(params, training=True, augmented=True, first=24))
    rest = images_of(feed_stored(params, training=True, augmented=True, first=24 + 17))
    assert len(rest) == 7
    np.testing.assert_array_equal(rest, whole[17:])


def test_a_run_on_features_reads_them_instead_of_images(hparams, tmp_path):
    shard = write_feature_shard(str(tmp_path), 's', np.ones([9, 4]), np.arange(9))
    write_manifest(FeatureManifest({}, 1, 4, (shard,), str(tmp_path)), MANIFEST)
    params = hparams(data_dir=tmp_path / 'nothing')
    for mode in (TRAIN, EVAL):
        dataset = feed(params, mode, features=str(tmp_path))
        features, labels = next(iter(dataset))
        assert list(features) == ['features']
        assert features['features'].shape == (7, 4)
        assert labels.dtype == tf.int64


# Several processes and devices that train together.


def contexts(pipelines, replicas):
    """What each of some pipelines is given; all devices together are `replicas`."""
    return [tf.distribute.InputContext(pipelines, each, replicas) for each in range(pipelines)]


@pytest.mark.parametrize(('pipelines', 'devices'), [(1, 2), (2, 1), (2, 2), (3, 1)])
def test_replicas_together_feed_a_batch_and_see_each_image_once_an_epoch(
    hparams, pipelines, devices
):
    params = hparams(batch_size=12, augmentation='false')
    fed = [
        batches(params, TRAIN, 4 * devices, context)
        for context in contexts(pipelines, pipelines * devices)
    ]
    assert {len(labels) for stream in fed for _, labels in stream} == {12 // pipelines // devices}
    # An epoch is two steps.
    for start in (0, 2 * devices):
        images = [
            image.tobytes()
            for stream in fed
            for images, _ in stream[start : start + 2 * devices]
            for image in images
        ]
        assert len(set(images)) == len(images) == 24


def test_several_processes_change_the_same_images_in_the_same_way_as_one(hparams):
    params = hparams(batch_size=8, debug='true')
    whole = np.concatenate([images for images, _ in batches(params, TRAIN, 6)])
    for number, context in enumerate(contexts(2, 2)):
        images = np.concatenate([images for images, _ in batches(params, TRAIN, 6, context)])
        np.testing.assert_array_equal(images, whole[number::2])


@pytest.mark.parametrize('pipelines', [1, 2, 3])
def test_a_resumed_process_goes_on_where_it_was(hparams, monkeypatch, pipelines):
    params = hparams(batch_size=6)
    for context in contexts(pipelines, pipelines):
        monkeypatch.setattr('library.inputs.batches.newest_step', lambda model_dir: 0)
        whole = batches(params, TRAIN, 9, context)
        monkeypatch.setattr('library.inputs.batches.newest_step', lambda model_dir: 5)
        for fed, expected in zip(batches(params, TRAIN, 4, context), whole[5:], strict=True):
            np.testing.assert_array_equal(fed[0], expected[0])
            np.testing.assert_array_equal(fed[1], expected[1])


@pytest.mark.parametrize('pipelines', [2, 24])
def test_a_data_set_smaller_than_a_batch_is_gone_through_again(hparams, pipelines):
    for context in contexts(pipelines, pipelines)[::23]:
        fed = batches(hparams(batch_size=48), TRAIN, 3, context)
        assert [len(labels) for _, labels in fed] == [48 // pipelines] * 3


def test_more_processes_than_images_are_refused(hparams):
    with pytest.raises(ConfigError, match='24 training images cannot be divided among 25 workers'):
        feed(hparams(batch_size=25), TRAIN, contexts(25, 25)[0])


def test_evaluation_sees_everything_in_whatever_process(hparams):
    alone, other = (batches(hparams(), EVAL, context=each) for each in (None, contexts(2, 3)[1]))
    assert [len(labels) for _, labels in other] == [7, 7, 1]
    for (images, _), (same, _) in zip(alone, other, strict=True):
        np.testing.assert_array_equal(images, same)


def test_noise_is_divided_into_portions_too(hparams):
    params = hparams(use_synthetic_data='true', batch_size=8)
    assert [len(labels) for _, labels in batches(params, TRAIN, 2, contexts(2, 4)[1])] == [2, 2]


@pytest.mark.parametrize('context', [None, *contexts(2, 1)])
def test_a_device_is_named_only_where_a_process_trains_alone(hparams, monkeypatch, context):
    asked = []
    monkeypatch.setattr(
        tf.data.experimental, 'prefetch_to_device', lambda name: asked.append(name) or (lambda d: d)
    )
    feed(hparams(prefetch_to_device='/cpu:0'), TRAIN, context)
    assert asked == (['/cpu:0'] if context is None else [])
