"""Noise as data: endless for training, an exact number of images else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from library.inputs.synthetic import SyntheticImages, synthetic_batches

THREE = ('class 0', 'class 1', 'class 2')


def batches(examples, batch_size, training=False, count=None, image_size=16):
    dataset = synthetic_batches(SyntheticImages(THREE, examples), batch_size, image_size, training)
    batches = itertools.islice(dataset.as_numpy_iterator(), count)
    return [(features['image'], labels) for features, labels in batches]


@pytest.mark.parametrize(
    ('examples', 'sizes'),
    [(8, [4, 4]), (10, [4, 4, 2]), (3, [3]), (1, [1]), (4, [4])],
)
def test_an_evaluation_sees_exactly_as_many_images_as_asked_for(examples, sizes):
    assert [len(labels) for _, labels in batches(examples, 4)] == sizes


def test_training_goes_on_past_the_end_with_full_batches():
    assert [len(labels) for _, labels in batches(10, 4, training=True, count=9)] == [4] * 9


def test_images_are_bytes_of_the_size_asked_for_and_look_like_noise():
    ((images, labels),) = batches(4, 4, image_size=32)
    assert (images.shape, images.dtype) == ((4, 32, 32, 3), np.uint8)
    assert (labels.shape, labels.dtype) == ((4,), np.int64)
    assert (images.min(), images.max()) == (0, 255)
    assert 120 < images.mean() < 135


def test_classes_take_turns():
    assert [labels.tolist() for _, labels in batches(6, 4)] == [[0, 1, 2, 0], [0, 1]]


def test_every_batch_is_the_same_in_every_run():
    first, second = batches(8, 4)
    again = batches(8, 4)[0]
    for other in (second, again):
        np.testing.assert_array_equal(first[0], other[0])


def test_a_session_gets_the_same_images():
    (expected, _), (rest, _) = batches(6, 4)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        dataset = synthetic_batches(SyntheticImages(THREE, 6), 4, 16, training=False)
        iterator = tf.compat.v1.data.make_initializable_iterator(dataset)
        images = iterator.get_next()[0]['image']
        session.run(iterator.initializer)
        np.testing.assert_array_equal(session.run(images), expected)
        np.testing.assert_array_equal(session.run(images), rest)
