"""Images whose classes stand in the names of the files."""

from __future__ import annotations

import pytest

from library.errors import ConfigError, DataError
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.preparation.sources.named_files import NamedFiles
from library.preparation.sources.registry import find_source
from project.sources import SOURCES
from tests.library.preparation.sources.test_csv_file import classes, write_images


def listed(folder, pattern, splits=()):
    source = SourceOptions(dataset_dir=str(folder), label_from_name=pattern)
    assert find_source(SOURCES, str(folder), source) == 'names'
    return NamedFiles(source, Output(f'{folder}/out', None, splits)).listing()


@pytest.mark.parametrize('pattern', [r'^(\w+)\.', r'^[a-z]+', r'^(?:(dog)|(cat))'])
def test_the_class_is_the_first_group_or_the_match(tmp_path, pattern):
    write_images(tmp_path, 'cat.0.jpg', 'cat.1.png', 'dog.0.JPG', 'notes.txt', '.hidden.jpg')
    listing = listed(tmp_path, pattern)
    assert classes(listing) == {'cat.0.jpg': 'cat', 'cat.1.png': 'cat', 'dog.0.JPG': 'dog'}
    assert listing.class_names == ('cat', 'dog')
    assert listing.ignored == ('.hidden.jpg', 'notes.txt')


def test_folders_of_splits_are_splits_and_no_part_of_the_name(tmp_path):
    write_images(tmp_path, 'train/cat_1.jpg', 'train/b/dog_1.jpg', 'val/cat_2.jpg')
    listing = listed(tmp_path, r'^(?:b/)?([a-z]+)_')
    assert listing.splits == ('train', 'validation')
    assert classes(listing)['train/b/dog_1.jpg'] == 'dog'


@pytest.mark.parametrize(
    ('pattern', 'kind', 'message'),
    [
        ('(', ConfigError, '--label_from_name (: missing ), unterminated subpattern'),
        ('^x', ConfigError, '--label_from_name ^x does not match 2 of 2 names, such as cat1.jpg'),
        (
            r'^([a-z]+)\d',
            DataError,
            r'--label_from_name ^([a-z]+)\d does not match 1 of 2 names, such as dog.jpg',
        ),
    ],
)
def test_an_expression_that_finds_no_class_is_refused(tmp_path, pattern, kind, message):
    write_images(tmp_path, 'cat1.jpg', 'dog.jpg')
    with pytest.raises(kind) as caught:
        listed(tmp_path, pattern)
    assert message in str(caught.value)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match='holds no images'):
        listed(tmp_path, '^(x)')


def test_a_file_is_an_image_by_what_it_begins_with(tmp_path):
    write_images(tmp_path, 'cat.0.jpg')
    for name in ('cat.1.jpg_large', 'dog_0'):
        (tmp_path / name).write_bytes(b'\xff\xd8\xff\xe0')
    (tmp_path / 'dog_1').write_text('no image')
    listing = listed(tmp_path, r'^([a-z]+)')
    assert classes(listing) == {'cat.0.jpg': 'cat', 'cat.1.jpg_large': 'cat', 'dog_0': 'dog'}
    assert listing.ignored == ('dog_1',)


def test_more_files_than_images_count_as_bad(tmp_path):
    write_images(tmp_path, 'cat.jpg', 'dog.jpg')
    for number in range(3):
        (tmp_path / f'cat{number}.raw').write_text('no image')
    (remark,) = listed(tmp_path, '^(cat|dog)').remarks
    assert remark.text == f'{tmp_path}: 2 images, 3 other files: 3 .raw'
    assert remark.bad == 3


def test_what_other_programs_left_is_skipped(tmp_path):
    left = ('lost+found/cat_1.jpg', '__MACOSX/cat_2.jpg', '@eaDir/cat_1.jpg/cat_3.jpg')
    write_images(tmp_path, 'x/cat_1.jpg', 'x/dog_1.jpg', *left)
    listing = listed(tmp_path, r'([a-z]+)_\d')
    assert [image.filename for image in listing.images] == ['x/cat_1.jpg', 'x/dog_1.jpg']
    assert [remark.text for remark in listing.remarks] == [
        'skipped, left by other programs (files): 1 @eaDir, 1 __MACOSX, 1 lost+found'
    ]


@pytest.mark.parametrize('above', ['', 'archive/'])
def test_splits_are_known_in_any_writing(tmp_path, above):
    write_images(tmp_path, f'{above}seg_train/cat_1.jpg', f'{above}seg_train/dog_1.jpg')
    write_images(tmp_path, f'{above}seg_test/cat_1.jpg')
    listing = listed(tmp_path, r'^([a-z]+)_\d')
    assert [image.split for image in listing.images] == ['test', 'train', 'train']
    assert listing.class_names == ('cat', 'dog')


def test_a_split_without_the_classes_of_train_is_left_out(tmp_path):
    write_images(tmp_path, 'train/cat.1.jpg', 'train/dog.1.jpg', 'test1/1.jpg')
    listing = listed(tmp_path, r'^(\w+)\.', splits=('train', 'test'))
    assert listing.class_names == ('cat', 'dog')
    told = 'test1: 1 picture without a class that train has, left out'
    assert [remark.text for remark in listing.remarks] == [f'warning: {told}']
    assert listing.ignored == (told,)


def test_nothing_is_left_out_that_a_run_evaluates_on(tmp_path):
    write_images(tmp_path, 'train/cat.1.jpg', 'train/dog.1.jpg', 'test1/1.jpg')
    options = SourceOptions(dataset_dir=str(tmp_path), label_from_name=r'^(\w+)\.')
    with pytest.raises(DataError) as caught:
        NamedFiles(options, Output('', None), '--eval_metadata').listing()
    assert str(caught.value) == (
        f'{tmp_path}/test1: no name has one of the classes in train; without it: '
        f'--eval_metadata {tmp_path}/train'
    )


@pytest.mark.parametrize(
    ('beside', 'what'),
    [
        ('extra/cat_2.jpg', 'train, and beside them extra'),
        ('cat_2.jpg', 'train, and beside them 1 picture'),
        ('Train/cat_2.jpg', 'Train, train, two of which are one'),
    ],
)
def test_what_may_be_a_split_or_not_is_refused(tmp_path, beside, what):
    write_images(tmp_path, 'train/cat_1.jpg', beside)
    with pytest.raises(DataError) as caught:
        listed(tmp_path, r'([a-z]+)_\d')
    assert str(caught.value) == (
        f'{tmp_path}: holds the splits {what}; give the folder of one split alone, or move the '
        f'others away'
    )


def test_classes_that_differ_in_capitals_are_told(tmp_path):
    write_images(tmp_path, 'cat_1.jpg', 'Cat_2.jpg')
    (remark,) = listed(tmp_path, '^([A-Za-z]+)_').remarks
    assert remark.text == 'taken for different classes: Cat, cat'


def test_two_splits_that_write_one_class_differently_are_refused(tmp_path):
    write_images(tmp_path, 'train/cat_1.jpg', 'test/Cat_1.jpg', 'train/dog_1.jpg', 'test/dog_1.jpg')
    with pytest.raises(DataError) as caught:
        listed(tmp_path, '^([A-Za-z]+)_')
    assert str(caught.value) == (
        f'{tmp_path}: Cat, cat: one class in two spellings? Write it in one way'
    )
