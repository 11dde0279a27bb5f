"""The manifest beside features."""

from __future__ import annotations

import json

import pytest

from library.records.feature_manifest import (
    MANIFEST,
    FeatureManifest,
    FeatureShard,
    is_whole,
    read_manifest,
    write_manifest,
)


@pytest.fixture
def manifest(tmp_path):
    shards = tuple(FeatureShard(f's{number}', 3, 10, 'ab') for number in range(4))
    return FeatureManifest({'image_size': 32}, 2, 8, shards, str(tmp_path))


def test_a_manifest_is_read_back_as_it_was(manifest, tmp_path):
    write_manifest(manifest, MANIFEST)
    assert read_manifest(str(tmp_path), MANIFEST) == manifest


def test_copies_share_the_shards_and_are_not_counted(manifest, tmp_path):
    # 4 shards of 3 records are 12 records: 6 images, each twice.
    assert manifest.examples == 6
    first, second = ([str(tmp_path / f's{n}') for n in numbers] for numbers in ((0, 1), (2, 3)))
    assert manifest.paths_of_copies == [first, second]


def test_no_manifest_and_a_damaged_one_count_as_none(manifest, tmp_path):
    assert read_manifest(str(tmp_path), MANIFEST) is None
    write_manifest(manifest, MANIFEST)
    path = tmp_path / MANIFEST
    whole = path.read_text()
    other = json.dumps(json.loads(whole) | {'version': 2})
    for text in ('', whole[:-20], '[]', '{}', other, whole.replace('"sha256"', '"sha"')):
        path.write_text(text)
        assert read_manifest(str(tmp_path), MANIFEST) is None, text


def test_a_shard_is_whole_only_with_the_content_that_was_written(tmp_path):
    # sha256 of 'abc', from FIPS 180-2.
    digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    shard = FeatureShard('s', 1, 3, digest)
    assert not is_whole(shard, str(tmp_path))
    for content, whole in ((b'abc', True), (b'abd', False), (b'ab', False), (b'', False)):
        (tmp_path / 's').write_bytes(content)
        assert is_whole(shard, str(tmp_path)) is whole
