"""Which images a split holds, as a file beside its shards."""

from __future__ import annotations

import csv
import hashlib
import os

import pytest

from library.preparation.image_list import read_digests, stored_images, write_images
from library.preparation.output import Target
from library.preparation.plan import PlannedShard
from library.records.listing import LabelledImage
from library.records.manifest import Rejected
from tests.conftest import draw_images
from tests.library.preparation.conversions import contents, convert_images, names_in

pytestmark = pytest.mark.graph


def sha256(data):
    return hashlib.sha256(data).digest()


def planned(*names):
    """A shard of images of class `cat`, whose digests are those of their names."""
    images = tuple(LabelledImage(name, 0, 'path', 1) for name in names)
    digests = tuple(sha256(os.fsencode(name)) for name in names)
    return PlannedShard(Target('/data', 'train'), 'shard', images, digests, ('cat',), '')


def rows_of(path):
    with open(path, newline='', encoding='utf-8', errors='surrogateescape') as file:
        return list(csv.reader(file))


def test_each_row_is_a_record_in_the_order_of_the_records(tmp_path):
    images = draw_images(tmp_path / 'images')
    (images / 'red' / '0.jpg').write_bytes(b'')
    done = convert_images(images, tmp_path / 'out', num_shards=3)
    head, *rows = rows_of(tmp_path / 'out' / 'train.images.csv')
    assert head == ['file', 'class', 'sha256']
    assert [row[0] for row in rows] == names_in(done.manifests['train'])
    assert 'red/0.jpg' not in {row[0] for row in rows}
    for name, class_name, digest in rows:
        assert class_name == name.split('/')[0]
        assert digest == sha256((images / name).read_bytes()).hex()


def test_an_image_that_was_encoded_anew_is_told_by_its_source(tmp_path):
    images = draw_images(tmp_path / 'images', per_class=1)
    convert_images(images, tmp_path / 'out', max_edge=16)
    _, *rows = rows_of(tmp_path / 'out' / 'train.images.csv')
    assert {row[2] for row in rows} == {
        sha256(path.read_bytes()).hex() for path in images.rglob('*.jpg')
    }


def test_rejected_images_are_left_out():
    shards = [planned('a', 'b'), planned('c')]
    rows = list(stored_images(shards, [Rejected('b', 'empty file')]))
    assert rows == [('a', 'cat', sha256(b'a')), ('c', 'cat', sha256(b'c'))]


@pytest.mark.parametrize('name', ['a,b', 'a "b"', 'a\nb', 'a\r\nb', os.fsdecode(b'caf\xe9'), ' '])
def test_any_file_name_comes_back(tmp_path, name):
    path = tmp_path / 'train.images.csv'
    write_images(str(path), [planned(name)], [])
    assert rows_of(path)[1] == [name, 'cat', sha256(os.fsencode(name)).hex()]
    assert list(read_digests(str(path))) == [sha256(os.fsencode(name))]


@pytest.mark.parametrize('count', [1, 999, 1000, 1001, 2500])
def test_a_list_of_any_length_is_written_whole(tmp_path, count):
    path = tmp_path / 'train.images.csv'
    shard = planned(*(f'{number}.jpg' for number in range(count)))
    write_images(str(path), [shard], [])
    assert list(read_digests(str(path))) == list(shard.digests)
    assert contents(tmp_path).keys() == {'train.images.csv'}


def test_a_split_that_stores_nothing_has_no_list(tmp_path):
    write_images(str(tmp_path / 'train.images.csv'), [planned('a')], [Rejected('a', 'empty file')])
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    'text',
    [
        b'',
        b'file,class\na.jpg,cat\n',
        b'file,class,sha256\na.jpg,cat\n',
        b'file,class,sha256\na.jpg,cat,' + b'zz' * 32 + b'\n',
        b'file,class,sha256\na.jpg,cat,' + b'00' * 31 + b'\n',
        b'sha256\n' + b'x' * 200_000 + b'\n',
        b'\x00\xff\xfe\r\x00\n' * 9,
    ],
)
def test_a_file_that_is_no_such_list_gives_nothing(tmp_path, text):
    (tmp_path / 'train.images.csv').write_bytes(text)
    assert list(read_digests(str(tmp_path / 'train.images.csv'))) == []


def test_the_list_stays_untouched_while_it_is_right_and_is_mended_when_it_is_not(tmp_path):
    images = draw_images(tmp_path / 'images', per_class=2)
    convert_images(images, tmp_path / 'out')
    path = tmp_path / 'out' / 'train.images.csv'
    text, when = path.read_bytes(), path.stat().st_mtime_ns
    convert_images(images, tmp_path / 'out')
    assert path.stat().st_mtime_ns == when
    path.write_bytes(text[:50])
    convert_images(images, tmp_path / 'out')
    assert path.read_bytes() == text
