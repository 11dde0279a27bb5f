"""TFRecords of other programs as a source: every record an image of its class, read in place."""

from __future__ import annotations

import pytest

from library.errors import ConfigError, DataError
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.preparation.sources.registry import check_flags, find_source
from library.preparation.sources.tfrecord import TFRecord
from library.records.example_message import example_class
from library.records.framing import frame
from project.sources import SOURCES
from tests.library.preparation.sources.test_csv_file import classes


def record(**features):
    """A record with these features: bytes, whole numbers or lists of these."""
    example = example_class()()
    for key, value in features.items():
        of_key = example.features.feature[key.replace('__', '/')]
        for each in value if isinstance(value, list) else [value]:
            (of_key.bytes_list if isinstance(each, bytes) else of_key.int64_list).value.append(each)
    return example.SerializeToString()


def write(path, *records):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b''.join(map(frame, records)))
    return path


def listed(path, **options):
    source = SourceOptions(dataset_dir=str(path), **options)
    assert find_source(SOURCES, str(path)) == 'tfrecord'
    return TFRecord(source, Output('out', None)).listing()


def contents(listing):
    return [image.content.read() for image in listing.images]


@pytest.mark.parametrize(
    ('image', 'label', 'of_class'),
    [
        ('image', 'label', lambda number: number),
        ('image', 'class', lambda number: [b'ant', b'bee', b'cat'][number]),
        ('image__encoded', 'image__class__label', lambda number: number),
        ('jpeg', 'target', lambda number: [int(number == each) for each in range(3)]),
    ],
    ids=['TFDS', 'Kaggle', 'slim', 'one-hot'],
)
def test_every_record_is_an_image_with_its_class(tmp_path, image, label, of_class):
    records = [record(**{image: b'image %d' % n, label: of_class(n % 3)}) for n in range(7)]
    path = write(tmp_path / 'data.tfrecord', *records)
    listing = listed(path)
    names = ['ant', 'bee', 'cat'] if of_class(0) == b'ant' else ['0', '1', '2']
    assert listing.class_names == tuple(names)
    assert contents(listing) == [b'image %d' % n for n in range(7)]
    assert classes(listing) == {f'data.tfrecord/{n:06}': names[n % 3] for n in range(7)}
    assert [each.text for each in listing.remarks] == [
        f'{path}: 7 records of 1 file, read in place'
    ]


def test_classes_are_the_labels_that_occur(tmp_path):
    """Inception counts from 1 and keeps 0 for a background that no image shows."""
    numbered = [record(image=b'x', label=n) for n in (10, 2, 2)]
    assert listed(write(tmp_path / 'a' / 'a.tfrecord', *numbered)).class_names == ('2', '10')
    named = [record(image=b'x', label=n) for n in (b'10', b'9')]
    assert listed(write(tmp_path / 'b' / 'b.tfrecord', *named)).class_names == ('9', '10')
    both = record(image__encoded=b'x', image__class__label=7, image__class__text=b'dog')
    assert listed(write(tmp_path / 'c' / 'c.tfrecord', both)).class_names == ('dog',)


def test_images_keep_the_names_that_records_give_unless_two_are_alike(tmp_path):
    names = [record(image=b'x', label=0, filename=each) for each in (b'a.jpg', b'b.jpg')]
    listing = listed(write(tmp_path / 'a' / 'a.tfrecord', *names))
    assert [image.filename for image in listing.images] == ['a.jpg', 'b.jpg']
    listing = listed(write(tmp_path / 'b' / 'b.tfrecord', *names, names[0]))
    assert [image.filename for image in listing.images] == [
        'b.tfrecord/000000/a.jpg',
        'b.tfrecord/000001/b.jpg',
        'b.tfrecord/000002/a.jpg',
    ]


def test_files_that_name_splits_are_these_splits(tmp_path):
    for name in ('flowers_train_00000-of-00001', 'flowers_validation_00000-of-00001.tfrecord'):
        write(tmp_path / 'flowers' / name, record(image=name.encode(), label=0))
    (tmp_path / 'flowers' / 'dataset_info.json').write_text('{}')
    splits = {
        image.content.read()[8:11]: image.split for image in listed(tmp_path / 'flowers').images
    }
    assert splits == {b'tra': 'train', b'val': 'validation'}
    alone = listed(f'{tmp_path}/flowers/*train*')
    assert [image.split for image in alone.images] == ['']
    write(tmp_path / 'flowers' / 'more.tfrecord', record(image=b'x', label=0))
    with pytest.raises(DataError, match=r'names a split and .*more\.tfrecord does not: give the'):
        listed(tmp_path / 'flowers')


def test_keys_may_be_named_and_what_is_missing_is_told_with_what_is_there(tmp_path):
    path = write(tmp_path / 'a.tfrecord', record(pixels=b'x', kind=1))
    with pytest.raises(DataError, match=r'record 0 at byte 0: the record has kind, pixels; wanted'):
        listed(path)
    given = {'record_image_key': 'pixels', 'record_label_key': 'kind'}
    assert contents(listed(path, **given)) == [b'x']
    with pytest.raises(ConfigError, match='--record_label_key class: the record has kind, pixels'):
        listed(path, record_image_key='pixels', record_label_key='class')
    with pytest.raises(ConfigError, match='is an option of the source tfrecord, not of folder'):
        check_flags(SOURCES, ['record_label_key'], 'folder')


def test_own_records_and_folders_of_images_are_no_records_of_others(tmp_path):
    path = write(tmp_path / 'own' / 'train-00000-of-00001.tfrecord', record(image=b'x', label=0))
    assert find_source(SOURCES, str(path.parent)) == 'tfrecord'
    (path.parent / 'train.json').write_text('{"format": "image-classification-tfrecords"}')
    for place in (path, path.parent, f'{path.parent}/train*.tfrecord'):
        assert not TFRecord.fits(str(place))
    write(tmp_path / 'cats' / 'cache.tfrecord', record(image=b'x', label=0))
    (tmp_path / 'cats' / 'cat').mkdir()
    assert find_source(SOURCES, str(tmp_path / 'cats')) == 'folder'


def test_damage_is_told_with_its_place(tmp_path):
    path = write(tmp_path / 'a.tfrecord', record(image=b'x' * 50, label=0))
    damaged = bytearray(path.read_bytes())
    damaged[30] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=r'a\.tfrecord: record 0 at byte 0: its checksum is wrong'):
        listed(path)
    path.write_bytes(damaged[:-5])
    with pytest.raises(DataError, match=r'claims \d+ bytes, more than are left'):
        listed(path)


def test_two_numbers_of_one_name_stay_two_classes(tmp_path):
    texts = [b'crane', b'dog', b'crane']
    names = {'image__encoded': b'x', 'image__class__label': 0, 'image__class__text': b''}
    records = [
        record(**{**names, 'image__class__label': n, 'image__class__text': text})
        for n, text in enumerate(texts)
    ]
    listing = listed(write(tmp_path / 'data.tfrecord', *records))
    assert listing.class_names == ('crane (0)', 'dog', 'crane (2)')
    assert [image.label for image in listing.images] == [0, 1, 2]
    assert listing.remarks[1].text == (
        f'{tmp_path}/data.tfrecord: classes of one name in the records: crane (0), crane (2)'
    )


@pytest.mark.parametrize('pattern', ['', '*/*.tfrecord'])
def test_folders_named_after_splits_are_splits(tmp_path, pattern):
    for number, split in enumerate(('train', 'test')):
        write(tmp_path / split / 'data.tfrecord', record(image=b'x', label=number))
    listing = listed(tmp_path / pattern)
    assert [(image.split, image.filename) for image in listing.images] == [
        ('test', 'test/data.tfrecord/000000'),
        ('train', 'train/data.tfrecord/000000'),
    ]


def test_folders_of_records_with_other_names_are_another_matter(tmp_path):
    write(tmp_path / 'train' / 'data.tfrecord', record(image=b'x', label=0))
    write(tmp_path / 'other' / 'data.tfrecord', record(image=b'x', label=0))
    assert not TFRecord.fits(str(tmp_path))


def test_a_number_of_two_names_is_refused(tmp_path):
    records = [
        record(image__encoded=b'x', image__class__label=0, image__class__text=text)
        for text in (b'cat', b'cat', b'dog')
    ]
    path = write(tmp_path / 'a.tfrecord', *records)
    with pytest.raises(
        DataError, match=r"record 2 at byte \d+: label 0 is 'dog' here, 'cat' before"
    ):
        listed(path)
