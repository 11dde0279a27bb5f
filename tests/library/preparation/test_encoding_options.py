"""What decides an image's stored bytes beside the image."""

from __future__ import annotations

import json
from dataclasses import replace

import PIL
import pytest

from library.preparation import encoding_options as encoding_options
from library.preparation.encoding_options import QUALITY, EncodingOptions
from library.preparation.formats import EXTRA_FORMATS, FORMATS
from library.preparation.pictures.picture_options import BEFORE, PictureOptions


def test_encoding_options_take_the_usual_formats_and_quality():
    encoding = EncodingOptions(384)
    assert (encoding.quality, encoding.formats) == (QUALITY, FORMATS)


def test_images_beside_a_data_set_are_stored_as_those_in_it():
    of_before = EncodingOptions(256, 95, pictures=BEFORE)
    assert EncodingOptions.of_stored(256, 95) == of_before
    assert EncodingOptions.of_stored(None, None) == replace(
        of_before, max_edge=65_500, quality=QUALITY
    )
    kept = PictureOptions().to_json()
    assert EncodingOptions.of_stored(256, 95, kept) == EncodingOptions(256, 95)
    assert EncodingOptions.of_stored(256, 95, max_pixels=99).max_pixels == 99


@pytest.mark.parametrize(
    'other',
    [
        EncodingOptions(383),
        EncodingOptions(384, 79),
        EncodingOptions(384, formats=(*FORMATS, EXTRA_FORMATS[0])),
        EncodingOptions(384, max_pixels=10**6),
    ],
)
def test_other_encoding_options_have_another_fingerprint(other):
    assert EncodingOptions(384).fingerprint() == EncodingOptions(384).fingerprint()
    assert other.fingerprint() != EncodingOptions(384).fingerprint()


def test_other_versions_of_decoders_and_of_this_program_have_another_fingerprint(monkeypatch):
    before = EncodingOptions(384).fingerprint()
    version = encoding_options.ENCODING_VERSION
    monkeypatch.setattr(encoding_options, 'ENCODING_VERSION', version + 1)
    assert EncodingOptions(384).fingerprint() != before
    monkeypatch.undo()
    monkeypatch.setattr(PIL, '__version__', '99')
    assert EncodingOptions(384).fingerprint() != before


def test_a_fingerprint_names_the_codecs_and_is_written_as_json():
    fingerprint = EncodingOptions(384).fingerprint()
    assert set(fingerprint['codecs']) == {
        'jpg',
        'libjpeg_turbo',
        'webp',
        'avif',
        'littlecms2',
        'pi-heif',
    }
    assert json.loads(json.dumps(fingerprint, sort_keys=True))['max_edge'] == 384
