"""Batches of features."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from library.errors import ConfigError, DataError
from library.inputs.feature_stream import feature_batches
from library.inputs.sharding import InputShard
from library.records.feature_manifest import MANIFEST, FeatureManifest, write_manifest
from library.records.features import write_feature_shard


def write_features(folder, bounds):
    """2 copies of some images in a shard between every two bounds: image i of copy c is [i, c]."""
    shards = []
    for copy, (first, last) in itertools.product(range(2), itertools.pairwise(bounds)):
        images = np.arange(first, last)
        vectors = np.stack([images, np.full_like(images, copy)], axis=1)
        name = f's{copy}{first}'
        shards.append(write_feature_shard(str(folder), name, vectors, images))
    write_manifest(FeatureManifest({}, 2, 2, tuple(shards), str(folder)), MANIFEST)
    return str(folder)


@pytest.fixture
def folder(tmp_path):
    """2 copies of 10 images in 2 shards each; an image's label is its number."""
    return write_features(tmp_path, (0, 6, 10))


def batches(folder, count=None, *, training, seed=0, first=0, batch_size=4, shards=(1, 0), **data):
    options = {'debug': False, 'shuffle_buffer': 4096, 'interleave_files': 8} | data
    options |= {'random_seed': seed}
    shard = InputShard(batch_size, first, *shards)
    dataset = feature_batches(folder, SimpleNamespace(**options), shard, training)
    return [
        (each['features'].numpy(), labels.numpy())
        for each, labels in itertools.islice(dataset, count)
    ]


def images_and_copies(fed):
    vectors = np.concatenate([features for features, _ in fed])
    assert vectors[:, 0].tolist() == np.concatenate([labels for _, labels in fed]).tolist()
    return vectors[:, 0].astype(int).tolist(), vectors[:, 1].astype(int).tolist()


def test_evaluation_gives_each_image_once_in_stored_order(folder):
    fed = batches(folder, training=False)
    assert [features.shape for features, _ in fed] == [(4, 2), (4, 2), (2, 2)]
    assert fed[0][0].dtype == np.float32
    assert fed[0][1].dtype == np.int64
    assert images_and_copies(fed) == (list(range(10)), [0] * 10)


def test_an_epoch_is_each_image_once_and_copies_take_turns(folder):
    # 15 batches of 4 are 6 epochs of 10.
    images, copies = images_and_copies(batches(folder, 15, training=True))
    epochs = [images[start : start + 10] for start in range(0, 60, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 6
    assert copies == [0] * 10 + [1] * 10 + [0] * 10 + [1] * 10 + [0] * 10 + [1] * 10


def test_training_goes_on_where_it_was(folder):
    whole = images_and_copies(batches(folder, 15, training=True, seed=3))
    for steps in (1, 5, 7):
        images, copies = images_and_copies(
            batches(folder, 15 - steps, training=True, seed=3, first=4 * steps)
        )
        assert (images, copies) == (whole[0][4 * steps :], whole[1][4 * steps :])


def test_another_seed_is_another_order(folder):
    one, other = (batches(folder, 5, training=True, seed=seed) for seed in (0, 1))
    assert images_and_copies(one) != images_and_copies(other)


def test_debug_feeds_the_stored_order(folder):
    images, _ = images_and_copies(batches(folder, 5, training=True, debug=True))
    assert images == [*range(10), *range(10)]


def test_features_that_are_gone_are_reported(folder, tmp_path):
    (tmp_path / MANIFEST).unlink()
    with pytest.raises(
        DataError, match='the features are gone; the same command computes'
    ) as error:
        batches(folder, training=False)
    assert error.value.exit_code == 3


# Several pipelines that train together.


def epochs_of(folder, number, pipelines, images=40, **data):
    """What one pipeline sees of each epoch, the last of which may not be whole."""
    fed = batches(folder, images, training=True, batch_size=1, shards=(pipelines, number), **data)
    labels = [int(label[0]) for _, label in fed]
    assert labels == [int(features[0, 0]) for features, _ in fed]
    # Copies take turns, which tells where an epoch ends.
    copies = [int(features[0, 1]) for features, _ in fed]
    groups = itertools.groupby(zip(copies, labels, strict=True), key=lambda pair: pair[0])
    return [(copy, [label for _, label in pairs]) for copy, pairs in groups]


# Files of 1 to 9 images; 11 files are enough for 2 pipelines, and not for 3.
UNEVEN = (0, 1, 2, 4, 5, 9, 10, 19, 20, 21, 22, 25)


@pytest.mark.parametrize('debug', [False, True])
@pytest.mark.parametrize('pipelines', [1, 2, 3])
@pytest.mark.parametrize('bounds', [(0, 6, 25), UNEVEN])
def test_pipelines_together_see_each_image_of_each_epoch_once(tmp_path, bounds, pipelines, debug):
    folder = write_features(tmp_path, bounds)
    fed = [epochs_of(folder, each, pipelines, 99, debug=debug) for each in range(pipelines)]
    for epoch in range(2):
        assert {stream[epoch][0] for stream in fed} == {epoch}
        assert sorted(itertools.chain(*(stream[epoch][1] for stream in fed))) == list(range(25))
    for stream in fed:
        assert (stream[0][1] == stream[2][1]) == debug
    by_file = bounds is UNEVEN and not debug
    sizes = sorted(len(stream[0][1]) for stream in fed)
    assert by_file or sizes[-1] - sizes[0] <= 1


@pytest.mark.parametrize('pipelines', [2, 3])
def test_each_pipeline_goes_on_where_it_was(folder, pipelines):
    for number in range(pipelines):
        shards = (pipelines, number)
        images, copies = images_and_copies(batches(folder, 15, training=True, shards=shards))
        for steps in (1, 5, 7):
            fed = batches(
                folder, 15 - steps, training=True, shards=shards, first=4 * pipelines * steps
            )
            assert images_and_copies(fed) == (images[4 * steps :], copies[4 * steps :])


def test_more_pipelines_than_images_are_refused(folder):
    with pytest.raises(ConfigError, match='10 training images cannot be divided among 11 workers'):
        batches(folder, 1, training=True, shards=(11, 2))
