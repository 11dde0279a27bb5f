"""Lists of images as people have them: columns, delimiters, odd rows."""

from __future__ import annotations

import pytest

from library.errors import ConfigError
from library.modes.prediction.listed_images import listed_images
from library.records.listing import Unusable

pytestmark = pytest.mark.unit


@pytest.fixture
def rows(write, tmp_path):
    """(path below this test's folder, reason or '') of each row of a list with this text."""
    (tmp_path / 'cats').mkdir()
    for name in ('a.jpg', 'b, c.jpg', 'cats/1.jpg'):
        (tmp_path / name).write_bytes(b'x')

    def call(text):
        return [
            (file.removeprefix(f'{tmp_path}/'), getattr(content, 'reason', ''))
            for file, content in listed_images(str(write(text, 'list.csv')))
        ]

    return call


@pytest.mark.parametrize(
    'column', ['path', 'file', 'filename', 'file_name', 'image', 'Path', 'FILE', 'Image Path']
)
def test_the_column_of_paths_has_several_names(rows, column):
    assert rows(f'id,{column}\n7,a.jpg\n') == [('a.jpg', '')]


def test_path_counts_before_image(rows):
    assert rows('image,path\nx,a.jpg\n') == [('a.jpg', '')]


@pytest.mark.parametrize('text', ['path;label\na.jpg;x\n', '\ufeffpath\tlabel\r\na.jpg\tx\r\n'])
def test_delimiters_marks_and_line_ends_of_spreadsheets_are_understood(rows, text):
    assert rows(text) == [('a.jpg', '')]


def test_paths_start_at_the_folder_of_the_list(rows, tmp_path):
    text = f'path\ncats/1.jpg\n"b, c.jpg"\n{tmp_path}/a.jpg\ncats\\1.jpg\n\n'
    expected = ['cats/1.jpg', 'b, c.jpg', 'a.jpg', 'cats/1.jpg']
    assert rows(text) == [(name, '') for name in expected]


def test_bad_rows_are_reported_and_the_others_read(rows):
    assert rows('path,label\n,x\nno.jpg,x\ncats,x\nhttps://a.b/c.jpg,x\na.jpg,x,y\na.jpg,x\n') == [
        ('list.csv', 'row 2: no path'),
        ('no.jpg', 'row 3: no such file or directory'),
        ('cats', 'row 4: a folder, not an image'),
        ('https://a.b/c.jpg', 'row 5: a URL, not a file (download the images first)'),
        ('a.jpg', 'row 6: 3 cells below 2 columns'),
        ('a.jpg', ''),
    ]


def test_damage_ends_the_list_with_an_entry_that_says_so(rows):
    first, second = rows('path\na.jpg\n"b\n')
    assert first == ('a.jpg', '')
    assert second[0] == 'list.csv'
    assert second[1].startswith('row 3: ')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('name,label\na.jpg,x\n', "no column 'path', 'filename' or 'image'; its columns are 'na"),
        ('path\na.jpg\n'.encode('utf-16'), 'the text is UTF-16; save it as UTF-8'),
    ],
)
def test_a_list_without_paths_is_refused(write, content, message):
    with pytest.raises(ConfigError, match=message):
        listed_images(str(write(content, 'list.csv')))


@pytest.mark.graph
def test_remote_rows_are_not_looked_at():
    from library import files

    files.make_folder('ram://lists')
    files.write_atomically('ram://lists/list.csv', b'path\nx/1.jpg\n')
    ((file, content),) = listed_images('ram://lists/list.csv')
    assert file == content == 'ram://lists/x/1.jpg'
    assert not isinstance(content, Unusable)
