"""What people may say of the pixels of their images, and how it is kept."""

from __future__ import annotations

import json

import pytest

from library.preparation.options import StoredPictureOptions
from library.preparation.pictures.picture_options import (
    BEFORE,
    PictureOptions,
    as_flags,
    from_json,
)
from tests.converting import convert

ALL = PictureOptions(background=(0, 10, 20), bands=(4, 3, 2), black_value='-5', white_value='4095')


def test_values_come_back_from_a_manifest_and_from_a_run():
    for kept in (ALL.to_json(), json.loads(json.dumps(ALL.to_json())), json.dumps(ALL.to_json())):
        assert from_json(kept) == ALL
    assert from_json(None) == BEFORE
    assert from_json({'background': [255, 255, 255]}) == BEFORE


def test_numbers_are_kept_in_one_writing():
    written = [
        PictureOptions(white_value=text).white_value for text in ('4095', '4095.0', '4.095e3')
    ]
    assert written == ['4095'] * 3
    assert PictureOptions(white_value='0.50').white_value == '0.5'


def test_what_differs_from_the_defaults_is_written_as_flags():
    assert as_flags(PictureOptions()) == ''
    assert as_flags(ALL) == (
        '--background 0,10,20 --bands 4,3,2 --black_value -5 --white_value 4095'
    )


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'background': (1, 2)}, 'background: red, green and blue have to be given'),
        ({'bands': (1, 2)}, 'bands: three have to be given, or one for grey'),
        ({'white_value': 'bright'}, "white_value: 'bright' is neither a number nor auto"),
        ({'black_value': 'nan'}, "black_value: 'nan' is neither a number nor auto"),
        ({'white_value': '5', 'black_value': '5'}, 'white_value: 5 is not above the black value'),
    ],
)
@pytest.mark.parametrize('kind', [PictureOptions, StoredPictureOptions])
def test_what_cannot_be_meant_is_refused(kind, values, message):
    with pytest.raises(ValueError) as caught:
        kind(**values)
    assert str(caught.value).startswith(message)


def test_auto_is_of_a_conversion_alone():
    options = StoredPictureOptions(black_value='auto', white_value='auto')
    assert (options.black, options.white) == (None, None)
    with pytest.raises(ValueError) as caught:
        PictureOptions(white_value='auto')
    assert str(caught.value) == (
        'white_value: auto is measured by a conversion alone: give a number, or convert the data '
        'set first'
    )


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--background', '1,2'], '--background: red, green and blue have to be given'),
        (['--bands', '0,1,2'], '--bands: 0 is out of range'),
        (['--white_value', 'bright'], "--white_value: 'bright' is neither a number nor auto"),
        (['--black_value', '9', '--white_value', '9'], '--white_value: 9 is not above'),
    ],
)
def test_a_conversion_refuses_it_in_one_line(capsys, tmp_path, flags, message):
    (tmp_path / 'images' / 'a').mkdir(parents=True)
    words = ['--dataset_dir', str(tmp_path / 'images'), '--tfrecord_dir', str(tmp_path / 'records')]
    status, _, err = convert(capsys, *words, *flags)
    assert (status, err.count('\n')) == (2, 1)
    assert err.startswith(f'error: {message}')
