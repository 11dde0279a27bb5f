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


def listed(folder, pattern, **options):
    source = SourceOptions(dataset_dir=str(folder), label_from_name=pattern, **options)
    assert find_source(SOURCES, str(folder), source) == 'names'
    return NamedFiles(source, Output(f'{folder}/out', None)).listing()


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
