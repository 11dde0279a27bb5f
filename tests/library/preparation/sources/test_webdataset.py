"""WebDataset tars: samples by name, read in place, whole or refused."""

from __future__ import annotations

import gzip
import io
import json
import tarfile

import pytest

from library.errors import ConfigError, DataError
from library.preparation.digests import content_digests
from library.preparation.encoding_options import EncodingOptions
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.preparation.sources.registry import find_source
from library.preparation.sources.webdataset import WebDataset
from library.preparation.workers import prepare
from project.sources import SOURCES
from tests.library.preparation.sources.test_csv_file import classes


def write_tar(path, members, **options):
    with tarfile.open(path, 'w', **options) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def listed(path, **options):
    source = SourceOptions(dataset_dir=str(path), **options)
    assert find_source(SOURCES, str(path)) == 'webdataset'
    return WebDataset(source, Output('out', None)).listing()


def refusal(kind, path, **options):
    with pytest.raises(kind) as caught:
        listed(path, **options)
    message = str(caught.value)
    assert '\n' not in message
    return message.removeprefix(f'{path}: ')


@pytest.mark.parametrize(
    'of_class',
    [
        lambda label: ('cls', b'%d\n' % label),
        lambda label: ('json', json.dumps({'label': label, 'width': 3}).encode()),
        lambda label: ('json', json.dumps({'key': 'x', 'class': [label]}).encode()),
    ],
)
@pytest.mark.parametrize('tar_format', [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_an_image_and_its_class_share_a_name(tmp_path, of_class, tar_format):
    long = 'a' * 150
    members = []
    for name, label in (('./x/0001', 10), ('x/0002', 9), (long, 10)):
        ending, content = of_class(label)
        members += [(f'{name}.jpg', name.encode()), (f'{name}.{ending}', content)]
    listing = listed(write_tar(tmp_path / 'a.tar', members, format=tar_format))
    assert classes(listing) == {
        'a/x/0001.jpg': '10',
        'a/x/0002.jpg': '9',
        f'a/{long}.jpg': '10',
    }
    assert listing.class_names == ('9', '10')
    assert [image.content.read() for image in listing.images] == [
        b'./x/0001',
        b'x/0002',
        long.encode(),
    ]


def test_a_class_counts_before_an_object_and_other_members_do_not_matter(tmp_path):
    members = [
        ('1.json', b'{"label": 7}'),
        ('1.cls', b'cat'),
        ('1.txt', b'A cat.'),
        ('1.png', b'x'),
        ('README', b'mine'),
    ]
    assert classes(listed(write_tar(tmp_path / 'a.tar', members))) == {'a/1.png': 'cat'}


def write_tars(folder, *names):
    """Write a tar of each name with one image, in the classes 0 and 1 in turns."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(exist_ok=True)
        members = [(f'{number}.jpg', b'x'), (f'{number}.cls', b'%d' % (number % 2))]
        write_tar(folder / name, members)


@pytest.mark.parametrize('pattern', ['', 's-*.tar', 's-{000,001}.tar', 's-{000..001}.tar'])
def test_a_folder_or_any_pattern_stands_for_its_files(tmp_path, pattern):
    write_tars(tmp_path, 's-000.tar', 's-001.tar')
    (tmp_path / 'sizes.json').write_text('{}')
    found = listed(tmp_path / pattern)
    assert classes(found) == {'s-000/0.jpg': '0', 's-001/1.jpg': '1'}
    assert found.splits == ()


@pytest.mark.parametrize('pattern', ['', '{train,val}-*.tar'])
def test_tars_named_after_splits_are_splits(tmp_path, pattern):
    write_tars(tmp_path, 'train-0.tar', 'train-1.tar', 'val-0.tar')
    listing = listed(tmp_path / pattern)
    assert [image.split for image in listing.images] == ['train', 'train', 'validation']


def test_folders_of_tars_named_after_splits_are_splits(tmp_path):
    write_tars(tmp_path, 'train/a.tar', 'test/b.tar')
    listing = listed(tmp_path / '*' / '*.tar')
    assert [(image.split, image.filename) for image in listing.images] == [
        ('test', 'test/b/1.jpg'),
        ('train', 'train/a/0.jpg'),
    ]


@pytest.mark.parametrize(
    ('pattern', 'first'),
    [('s-*.tar', 's-*.tar'), ('s-{a,b}.tar', 's-a.tar'), ('s-{00..01}.tar', 's-00.tar')],
)
def test_a_pattern_of_files_that_are_not_there_says_which(tmp_path, pattern, first):
    with pytest.raises(ConfigError) as caught:
        listed(tmp_path / pattern)
    assert str(caught.value) == f'{tmp_path}/{first}: no such file (--dataset_dir)'


def test_a_compressed_tar_of_classes_is_to_be_decompressed(tmp_path):
    write_tars(tmp_path, 'a.tar')
    path = tmp_path / 'b.tar.gz'
    path.write_bytes(gzip.compress((tmp_path / 'a.tar').read_bytes()))
    expected = 'is compressed; gunzip it, and give the .tar (--dataset_dir)'
    assert refusal(ConfigError, path) == expected


def test_a_folder_of_tars_of_folders_is_another_matter(tmp_path):
    write_tar(tmp_path / 'a.tar', [('cat/1.jpg', b'x')])
    assert not WebDataset.fits(str(tmp_path))


def test_a_pattern_stands_for_its_files(tmp_path):
    for number in range(8, 12):
        members = [(f'{number}.jpg', b'x'), (f'{number}.cls', b'%d' % (number % 2))]
        write_tar(tmp_path / f'shard-{number:03}.tar', members)
    listing = listed(tmp_path / 'shard-{008..011}.tar')
    assert [image.filename for image in listing.images] == [
        'shard-008/8.jpg',
        'shard-009/9.jpg',
        'shard-010/10.jpg',
        'shard-011/11.jpg',
    ]
    assert listing.remarks[0].text.endswith(': 4 images of 4 tars, read in place')
    with pytest.raises(ConfigError, match=r'shard-012\.tar: no such file'):
        listed(tmp_path / 'shard-{008..012}.tar')


@pytest.mark.parametrize(
    ('members', 'message'),
    [
        ([('1.jpg', b'x'), ('1.json', b'{}')], '1 has no class (.cls, or in .json)'),
        ([('1.jpg', b'x'), ('1.json', b'[]')], '1.json: not a JSON object'),
        ([('1.jpg', b'x'), ('1.png', b'x'), ('1.cls', b'0')], '1 has 2 images, not one'),
        (
            [('1.jpg', b'x'), ('1.json', b'{"label": [0, 1]}')],
            '1.json: several classes: each picture has one class here',
        ),
        ([('1.txt', b'x'), ('1.cls', b'0')], 'holds no images'),
    ],
)
def test_a_name_without_one_image_and_one_class_is_refused(tmp_path, members, message):
    assert refusal(DataError, write_tar(tmp_path / 'a.tar', members)) == message


def test_the_key_of_an_object_may_be_named(tmp_path):
    path = write_tar(tmp_path / 'a.tar', [('1.jpg', b'x'), ('1.json', b'{"kind": "cat"}')])
    assert classes(listed(path, label_column=('kind',))) == {'a/1.jpg': 'cat'}


def test_no_cut_goes_unnoticed(tmp_path):
    members = [(f'{number}.{each}', b'0') for number in range(2) for each in ('jpg', 'cls')]
    path = write_tar(tmp_path / 'a.tar', members)
    whole = path.read_bytes()
    content = 4 * 2 * tarfile.BLOCKSIZE
    assert not any(whole[content:])
    for size in [*range(0, content, 100), content]:
        path.write_bytes(whole[:size])
        assert refusal(DataError, path), size


@pytest.mark.parametrize('place', [0, 100, 130, 1024, 1124, 1160])
def test_a_damaged_header_is_refused(tmp_path, place):
    path = write_tar(tmp_path / 'a.tar', [('1.jpg', b'x'), ('1.cls', b'0')])
    data = bytearray(path.read_bytes())
    data[place] ^= 0x15
    path.write_bytes(data)
    assert refusal(DataError, path)


def test_what_is_no_tar_is_refused_in_one_line(tmp_path):
    path = tmp_path / 'a.tar'
    path.write_bytes(b'\x1f\x8b' + bytes(600))
    assert refusal(DataError, path).startswith('not a whole, uncompressed tar (')


def test_a_tar_of_folders_is_another_matter(tmp_path):
    path = write_tar(tmp_path / 'a.tar', [('cat/1.jpg', b'x')])
    assert not WebDataset.fits(str(path))


def test_parts_are_prepared_and_digested_as_files_are(tmp_path):
    members = [('1.jpg', b'no image'), ('1.cls', b'0'), ('2.jpg', b''), ('2.cls', b'0')]
    listing = listed(write_tar(tmp_path / 'a.tar', members))
    encoding = EncodingOptions(64, 80)
    whole = [prepare(content, encoding) for content in (b'no image', b'')]
    parts = [prepare(image.content, encoding) for image in listing.images]
    assert [str(each) for each in parts] == [str(each) for each in whole]
    alone = [image.content.read() for image in listing.images]
    assert alone == [b'no image', b'']
    digests = content_digests(listing.images)
    assert len(set(digests)) == 2
