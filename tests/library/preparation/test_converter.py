"""A listing of images to shards and a manifest: what they hold, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil

import pytest
import tensorflow as tf

from library import files
from library.preparation.pictures.picture_options import PictureOptions
from library.records.example import FILENAME, FORMAT, HEIGHT, LABEL, TEXT, WIDTH
from library.records.manifest import Rejected, from_json
from library.records.shards import shard_names
from tests.conftest import COLORS, convert_folder, draw_images
from tests.library.preparation.conversions import contents, convert_images, names_in, records

pytestmark = pytest.mark.graph

SHARDS = shard_names('train', 2)


def converted(images, output, **options):
    """The manifest of a conversion into OUTPUT/train-*."""
    return convert_images(images, output, **options).manifests['train']


@pytest.fixture
def images(tmp_path):
    """Three classes of six images."""
    return draw_images(tmp_path / 'images')


def test_the_manifest_tells_what_the_shards_hold(images, output):
    (images / 'notes.txt').touch()
    (images / 'red' / '0.jpg').write_bytes(b'')
    manifest = converted(images, output, max_edge=16, quality=70, random_seed=3)
    assert manifest.class_names == ('blue', 'green', 'red')
    assert manifest.examples_per_class == {'blue': 6, 'green': 6, 'red': 5}
    assert manifest.examples == 17
    assert manifest.reencoded == 17
    pictures = PictureOptions().to_json()
    assert manifest.options == {
        **{'max_edge': 16, 'quality': 70, 'random_seed': 3},
        'pictures': pictures,
    }
    assert manifest.splits == ()
    assert manifest.rejected == (Rejected('red/0.jpg', 'empty file'),)
    assert manifest.ignored == ('notes.txt',)
    assert [shard.name for shard in manifest.shards] == SHARDS


def test_the_manifest_is_a_file_beside_the_shards(images, output):
    manifest = converted(images, output)
    assert sorted(contents(output)) == [*SHARDS, 'train.images.csv', 'train.json']
    path = str(output / 'train.json')
    assert from_json(files.read_bytes(path), path) == manifest
    assert json.loads(files.read_bytes(path))['examples'] == 18


def test_the_manifest_tells_size_and_digest_of_each_shard(images, output):
    for shard in converted(images, output, num_shards=3).shards:
        data = (output / shard.name).read_bytes()
        assert shard.bytes == len(data)
        assert shard.sha256 == hashlib.sha256(data).hexdigest()
        assert shard.examples == sum(1 for _ in tf.data.TFRecordDataset(str(output / shard.name)))


def test_each_image_is_stored_once_with_its_label_and_name(images, output):
    found = records(converted(images, output, num_shards=4))
    names = [record[FILENAME].decode() for record in found]
    assert sorted(names) == sorted(f'{color}/{n}.jpg' for color in COLORS for n in range(6))
    for record, name in zip(found, names, strict=True):
        text = name.split('/')[0]
        assert record[TEXT].decode() == text
        assert record[LABEL] == sorted(COLORS).index(text)
        assert record[FORMAT] == b'jpeg'
        assert (record[HEIGHT], record[WIDTH]) == (32, 32)
        assert record['image/encoded'] == (images / name).read_bytes()


def test_only_what_had_to_change_counts_as_encoded_anew(images, output):
    os.truncate(images / 'red' / '0.jpg', 0)
    shutil.copy(images / 'red' / '1.jpg', images / 'red' / 'again.jpg')
    assert converted(images, output).reencoded == 0
    assert converted(images, output, max_edge=31).reencoded == 18


def test_the_classes_are_mixed(images, output):
    labels = [record[LABEL] for record in records(converted(images, output))]
    assert labels != sorted(labels)


def test_there_may_be_one_shard_and_one_image_a_shard(images, output):
    assert len(converted(images, output, num_shards=1).shards) == 1
    manifest = converted(images, output, num_shards=18)
    assert [shard.examples for shard in manifest.shards] == [1] * 18


def test_a_shard_may_stay_empty_where_its_images_are_bad(images, output):
    (images / 'red' / '0.jpg').write_bytes(b'')
    manifest = converted(images, output, num_shards=18)
    assert sorted(shard.examples for shard in manifest.shards) == [0] + [1] * 17
    assert len(records(manifest)) == 17


def test_a_second_run_is_byte_identical_with_the_output_among_the_images(images):
    converted(images, images)
    first = contents(images)
    converted(images, images)
    assert contents(images) == first


def test_the_number_of_workers_does_not_matter(images, tmp_path):
    (images / 'red' / '0.jpg').write_bytes(b'')
    converted(images, tmp_path / 'none')
    for workers in (1, 2):
        convert_folder(images, tmp_path / f'{workers}', workers=workers)
        assert contents(tmp_path / f'{workers}') == contents(tmp_path / 'none')


def test_the_order_in_which_files_lie_on_a_disk_does_not_matter(images, tmp_path, monkeypatch):
    converted(images, tmp_path / 'one')
    paths = sorted(images.rglob('*.jpg'))
    random.Random(1).shuffle(paths)
    for path in paths:
        copy = tmp_path / 'copy' / path.relative_to(images)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    list_names = os.listdir
    monkeypatch.setattr(os, 'listdir', lambda path: sorted(list_names(path), reverse=True))
    converted(tmp_path / 'copy', tmp_path / 'two')
    monkeypatch.undo()
    assert contents(tmp_path / 'one') == contents(tmp_path / 'two')


def test_another_seed_is_another_order_of_the_same_images(images, output):
    one, two = (names_in(converted(images, output, random_seed=seed)) for seed in (0, 1))
    assert one != two
    assert sorted(one) == sorted(two)


def test_names_that_are_no_utf8_reach_records_manifest_and_lists(images, output):
    name = os.fsdecode(b'caf\xe9')
    (images / name).mkdir()
    shutil.copy(images / 'red' / '0.jpg', images / name / f'{name}.jpg')
    (images / 'red' / '0.jpg').unlink()
    (images / name / f'bad {name}.jpg').touch()
    converted(images, output)
    manifest = from_json((output / 'train.json').read_bytes(), str(output / 'train.json'))
    assert manifest.class_names == ('blue', name, 'green', 'red')
    assert manifest.rejected == (Rejected(f'{name}/bad {name}.jpg', 'empty file'),)
    (record,) = (each for each in records(manifest) if each[LABEL] == 1)
    assert (record[TEXT], record[FILENAME]) == (b'caf\xe9', b'caf\xe9/caf\xe9.jpg')
    assert b'caf\xe9/bad caf\xe9.jpg' in (output / 'train.rejected.csv').read_bytes()
    assert b'caf\xe9/caf\xe9.jpg,caf\xe9,' in (output / 'train.images.csv').read_bytes()
