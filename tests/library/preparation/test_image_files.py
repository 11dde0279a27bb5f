"""What tells image files from others, whatever they are called."""

from __future__ import annotations

import itertools
import os

import pytest
from PIL import Image

from library import files
from library.preparation.formats import EXTRA_FORMATS, FORMATS
from library.preparation.image_files import (
    ending_of,
    is_archive,
    is_image_file,
    is_of_other_program,
)
from tests.library.preparation.drawn_pictures import encoded, noise, several

FIRST, SECOND = noise(48, 32), noise(48, 32, 1)
PILLOWS = [kind for kind in (*FORMATS, *EXTRA_FORMATS) if kind != 'HEIF']
WHOLE = {kind: encoded(FIRST, kind) for kind in PILLOWS} | {
    'MPO': several('MPO', FIRST, SECOND),
    'BigTIFF': encoded(FIRST, 'TIFF', big_tiff=True),
    'old BMP': b'BM' + bytes(12) + b'\x0c\0\0\0' + bytes(8),
    'HEIC': b'\0\0\0\x18ftypheic\0\0\0\0mif1heic',
    'P2': b'P2\n# drawn by hand\n2 2\n15\n0 1 2 3\n',
    'grey SGI': encoded(FIRST.convert('L'), 'SGI'),
    'codestream': encoded(FIRST, 'JPEG2000', no_jp2=True),
}


@pytest.mark.parametrize('kind', WHOLE)
@pytest.mark.parametrize('name', ['photo', 'photo.jpg?w=200', 'photo.txt', 'photo.dcm'])
def test_a_file_that_begins_as_an_image_is_one_whatever_it_is_called(tmp_path, kind, name):
    (tmp_path / name).write_bytes(WHOLE[kind])
    assert is_image_file(str(tmp_path / name))


def test_whatever_pillow_would_open_by_its_first_bytes_is_an_image(tmp_path):
    Image.init()
    for kind, data in WHOLE.items():
        accepted = [name for name in PILLOWS if Image.OPEN[name][1](data[:16])]
        assert len(accepted) == (kind != 'HEIC')


OTHERS = {
    'empty': b'',
    'one byte': b'\xff',
    'zeros': bytes(64),
    'text': b'BMW 320, P1: no picture; GIF, RIFF and Python',
    'a text like PPM': b'P1 is the first patient',
    'a list': b'Python\nPillow\n',
    'markup': b'<html>404</html>',
    'vector': b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    'document': b'%PDF-1.7',
    'film': b'\0\0\0\x18ftypisom\0\0\0\0isom',
    'sound': b'RIFF\x10\0\0\0WAVEfmt ',
    'numbers': b'\x93NUMPY\x01\0',
    'archive': b'PK\x03\x04',
    'JPEG XL': b'\xff\n\xfa\x1f',
    'a line break': b'\n\nwords',
    'Apple': b'\0\x05\x16\x07\0\x02\0\0Mac OS X',
}


@pytest.mark.parametrize('kind', OTHERS)
def test_what_begins_otherwise_is_no_image_unless_its_name_says_so(tmp_path, kind):
    for name in ('file', 'file.bin', 'file.jpg'):
        (tmp_path / name).write_bytes(OTHERS[kind])
        assert is_image_file(str(tmp_path / name)) == (name == 'file.jpg')


def test_a_file_that_may_not_be_read_is_no_image_unless_its_name_says_so(tmp_path):
    assert not is_image_file(str(tmp_path / 'gone'))
    assert is_image_file(str(tmp_path / 'gone.jpg'))


def test_only_the_beginning_of_unusual_names_is_read(tmp_path, monkeypatch):
    opened = []

    def open_binary(path):
        opened.append(os.path.basename(path))
        return open(path, 'rb')

    monkeypatch.setattr(files, 'open_binary', open_binary)
    for name in ('1.jpg', '2.tiff', '3.txt', '4'):
        (tmp_path / name).write_bytes(WHOLE['PNG'])
        assert is_image_file(str(tmp_path / name))
    assert opened == ['3.txt', '4']


@pytest.mark.parametrize(
    ('name', 'ending'),
    [
        ('1.DCM', '.dcm'),
        ('a.tar.gz', '.gz'),
        ('photo.jpg?w=200&h=3', '.jpg'),
        ('no_ending', ''),
        ('.hidden', ''),
        ('IMG 1. a long sentence', ''),
        ('v1.', ''),
    ],
)
def test_endings_are_those_that_people_know(name, ending):
    assert ending_of(name) == ending


def test_archives_are_known_by_what_they_begin_with(tmp_path):
    tar = bytes(257) + b'ustar\0' + bytes(249)
    starts = {'zip': b'PK\x03\x04', 'rar': b'Rar!\x1a\x07\x00', 'tgz': b'\x1f\x8b\x08', 'tar': tar}
    for kind, start in starts.items():
        (tmp_path / kind).write_bytes(start)
        assert is_archive(str(tmp_path / kind))
    for kind, data in itertools.chain(OTHERS.items(), WHOLE.items()):
        (tmp_path / 'other').write_bytes(data)
        assert is_archive(str(tmp_path / 'other')) == (kind == 'archive')


def test_what_other_programs_leave_is_known_in_any_case():
    left = ('.DS_Store', '._1.jpg', '@eaDir', '__MACOSX', 'Lost+Found', 'THUMBS.DB', '$RECYCLE.BIN')
    assert all(map(is_of_other_program, left))
    own = ('cat', '$5', '#1', '@home', 'thumbs', 'eaDir', 'lost')
    assert not any(map(is_of_other_program, own))
