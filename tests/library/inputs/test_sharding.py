"""How the training images are divided among workers, as the log tells it."""

from __future__ import annotations

import dataclasses

import pytest

from library.errors import ConfigError
from library.inputs.options import DataOptions
from library.inputs.sharding import check_shards, is_by_file, sharding_of
from library.records.external import ExternalRecords
from library.records.feature_manifest import MANIFEST, FeatureManifest, FeatureShard, write_manifest
from library.records.listing import Listing
from library.records.manifest import Manifest, Shard

IMAGES = 640


def converted(files):
    """A manifest that names this many files, and one more that holds nothing."""
    shards = tuple(Shard(f'{number}', IMAGES // files, 1, '') for number in range(files))
    return Manifest(('a',), {'a': IMAGES}, (*shards, Shard('empty', 0, 0, '')))


@pytest.mark.parametrize(('files', 'shards'), [(4, 1), (8, 2), (9, 2)])
def test_four_files_to_a_shard_are_divided_by_file(files, shards):
    assert is_by_file(files, shards)
    assert not is_by_file(files, files // 4 + 1)


@pytest.mark.parametrize(
    ('files', 'pipelines', 'sentence'),
    [
        (64, 1, ''),
        (64, 4, 'each of 4 workers reads its own of 64 files'),
        (16, 4, 'each of 4 workers reads its own of 16 files'),
        (
            3,
            2,
            'each of 2 workers reads all 3 files and takes every 2nd image: fewer than 8 files; '
            'convert the images with --num_shards 8 or more',
        ),
        (
            1,
            23,
            'each of 23 workers reads 1 file and takes every 23rd image: fewer than 92 files; '
            'convert the images with --num_shards 92 or more',
        ),
    ],
)
def test_files_are_counted(files, pipelines, sentence):
    assert sharding_of(DataOptions(), converted(files), pipelines) == sentence


@pytest.mark.parametrize(
    ('number', 'ordinal'), [(3, '3rd'), (11, '11th'), (12, '12th'), (21, '21st'), (111, '111th')]
)
def test_images_in_files_of_their_own_are_counted_out(number, ordinal):
    listing = Listing(('a',), (None,) * IMAGES)
    assert sharding_of(DataOptions(), listing, number) == (
        f'each of {number} workers takes every {ordinal} image'
    )


def test_records_of_another_program_are_counted_without_advice_for_a_conversion():
    external = ExternalRecords(('a',), {0: IMAGES}, ('x', 'y', 'z'), 'records')
    assert sharding_of(DataOptions(), external, 2) == (
        'each of 2 workers reads all 3 files and takes every 2nd image: fewer than 8 files'
    )


def test_other_kinds_of_data_are_reported_too():
    def told(offloaded=False, **options):
        data = dataclasses.replace(DataOptions(), **options)
        return sharding_of(data, converted(64), 2, offloaded=offloaded)

    assert told(use_synthetic_data=True) == 'each of 2 workers trains on the same noise'
    assert told(offloaded=True) == (
        'each of 2 workers takes its batches from one stream of the tf.data service'
    )
    assert told(debug=True) == (
        'each of 2 workers reads 64 files in stored order and takes every 2nd image'
    )


def test_features_have_files_of_their_own_of_which_nobody_chooses_the_number(tmp_path):
    shards = tuple(FeatureShard(f'{number}', 80, 1, '') for number in range(16))
    write_manifest(FeatureManifest({}, 2, 4, shards, str(tmp_path)), MANIFEST)
    told = [sharding_of(DataOptions(), converted(64), each, str(tmp_path)) for each in (2, 3)]
    assert told == [
        'each of 2 workers reads its own of 8 files of features',
        'each of 3 workers reads all 8 files of features and takes every 3rd image: fewer than 12 '
        'files',
    ]


def test_features_do_not_come_from_a_service(tmp_path):
    write_manifest(
        FeatureManifest({}, 1, 4, (FeatureShard('s', 9, 1, ''),), str(tmp_path)), MANIFEST
    )
    told = sharding_of(DataOptions(), converted(64), 2, str(tmp_path), offloaded=True)
    assert 'reads 1 file of features' in told


def test_more_workers_than_images_are_refused():
    check_shards(3, 3)
    with pytest.raises(ConfigError, match=r'^3 training images cannot be divided among 4 workers:'):
        check_shards(3, 4)
    with pytest.raises(ConfigError, match='among 641 workers'):
        sharding_of(DataOptions(), converted(1), IMAGES + 1)
