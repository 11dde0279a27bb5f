"""Batches of features."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from library.errors import DataError
from library.inputs.options import DataOptions, PipelineOptions
from library.records.feature_manifest import MANIFEST, FeatureManifest, write_manifest
from library.records.features import write_feature_shard
from project.feature_stream import feature_batches


@pytest.fixture
def folder(tmp_path):
    """2 copies of 10 images in 2 shards each: image i of copy c is [i, c], with the label i."""
    shards = []
    for copy, (first, last) in itertools.product(range(2), ((0, 6), (6, 10))):
        images = np.arange(first, last)
        vectors = np.stack([images, np.full_like(images, copy)], axis=1)
        name = f's{copy}{first}'
        shards.append(write_feature_shard(str(tmp_path), name, vectors, images))
    write_manifest(FeatureManifest({}, 2, 2, tuple(shards), str(tmp_path)), MANIFEST)
    return str(tmp_path)


def batches(folder, count=None, *, training, seed=0, first=0, **data):
    dataset = feature_batches(
        folder,
        DataOptions(**data),
        PipelineOptions(),
        training=training,
        seed=seed,
        first=first,
        batch_size=4,
        has_strategy=False,
    )
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


def test_features_that_are_gone_are_told(folder, tmp_path):
    (tmp_path / MANIFEST).unlink()
    with pytest.raises(
        DataError, match='the features are gone; the same command computes'
    ) as error:
        batches(folder, training=False)
    assert error.value.exit_code == 3
