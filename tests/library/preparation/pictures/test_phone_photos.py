"""HEIC and AVIF: which decoder gets them, which picture is taken, and what bad files are told."""

from __future__ import annotations

import contextlib
import sys

import numpy as np
import pytest
from PIL import Image

from library.preparation.images import RejectedImage, prepare_image
from library.preparation.pictures.boxes import container_of, primary_picture
from library.preparation.pictures.changes import RECOLORED, TURNED
from library.preparation.pictures.picture_options import PictureOptions
from tests.library.preparation.drawn_pictures import (
    TOLERANCE,
    assert_flat,
    encoded,
    four_corners,
    patched,
    reason,
    stored_pixels,
    turned,
)
from tests.library.preparation.heic_files import (
    BURST,
    DEEP,
    DEEP_COLORS,
    QUARTERS,
    burst_upright,
    with_numbers,
)
from tests.library.preparation.pictures.profiles import converted, srgb_curve

pytestmark = pytest.mark.unit

MANAGED = PictureOptions()


def prepared(data):
    return prepare_image(data, 64, quality=95, pictures=MANAGED)


def with_brands(data, *brands):
    """The same file under other brands: a major one, and those that it is compatible with."""
    length = int.from_bytes(data[:4], 'big')
    box = b'ftyp' + brands[0] + bytes(4) + b''.join(brands[1:])
    assert len(box) + 4 == length, 'offsets count from the start of the file'
    return data[:4] + box + data[length:]


def assert_quarters(pixels, image):
    height, width = pixels.shape[:2]
    rows, columns = slice(height // 4, None, height // 2), slice(width // 4, None, width // 2)
    drawn = np.asarray(image)[rows, columns]
    np.testing.assert_allclose(pixels[rows, columns], drawn, atol=8)


def test_heic_goes_to_its_decoder_whatever_the_brand_is():
    for brands in (
        (b'heic', b'mif1', b'heic', b'miaf'),
        # Pillow's reader of AVIF claims this one.
        (b'mif1', b'mif1', b'heic', b'miaf'),
        (b'mif1', b'mif1', b'miaf', b'miaf'),
        (b'heix', b'mif1', b'heix', b'miaf'),
    ):
        data = with_brands(QUARTERS, *brands)
        assert container_of(data) == 'HEIF'
        assert_quarters(stored_pixels(prepared(data)), four_corners(32, 32))


def test_avif_is_read_unless_it_is_not_accepted():
    data = encoded(Image.new('RGB', (32, 16), (0, 0, 255)), 'AVIF')
    assert container_of(data) == 'AVIF'
    assert_flat(stored_pixels(prepared(data)), (0, 0, 255))
    assert reason(data, formats=('JPEG', 'HEIF')) == 'AVIF, which is not accepted here'
    assert reason(QUARTERS, formats=('JPEG', 'AVIF')) == 'HEIF, which is not accepted here'


def test_a_burst_gives_its_primary_picture_turned_once():
    image = prepared(BURST)
    assert (image.width, image.height) == (32, 24)
    assert image.changes == (TURNED,)
    assert_quarters(stored_pixels(image), burst_upright())


def test_an_avif_is_turned_once():
    image = prepared(turned(four_corners(32, 16), 'AVIF', 6, quality=100))
    assert (image.width, image.height, image.changes) == (16, 32, (TURNED,))
    assert_quarters(
        stored_pixels(image), four_corners(32, 16).transpose(Image.Transpose.ROTATE_270)
    )


def test_ten_bits_become_eight_by_their_value():
    pixels = stored_pixels(prepared(DEEP))
    found = [tuple(pixels[y, x]) for y in (8, 24) for x in (8, 24)]
    np.testing.assert_allclose(found, DEEP_COLORS, atol=TOLERANCE)


@pytest.mark.parametrize('primaries', [9, 12])
def test_numbers_of_a_heic_name_its_colours(primaries):
    image = prepared(with_numbers(DEEP, primaries, 13))
    assert image.changes == (RECOLORED,)
    space = {9: 'BT.2020', 12: 'P3'}[primaries]
    pixels = stored_pixels(image)
    found = [pixels[y, x] for y in (8, 24) for x in (8, 24)]
    expected = [converted(color, space, srgb_curve) for color in DEEP_COLORS]
    np.testing.assert_allclose(found, expected, atol=4)


def test_numbers_of_an_avif_name_its_colours():
    # Pillow writes them as those of sRGB, and tells nobody those that it reads.
    data = with_numbers(
        encoded(Image.new('RGB', (32, 16), (200, 80, 60)), 'AVIF', quality=95), 12, 13
    )
    image = prepared(data)
    assert image.changes == (RECOLORED,)
    assert_flat(stored_pixels(image), converted((200, 80, 60), 'P3', srgb_curve))


@pytest.mark.parametrize('data', [QUARTERS, encoded(Image.new('RGB', (32, 16)), 'AVIF')])
def test_a_picture_of_too_many_pixels_is_not_decoded(data):
    assert primary_picture(data).sizes
    bomb = patched(data, data.index(b'ispe') + 8, 20_000, 10_000, pack='>II')
    told = reason(bomb)
    assert told.startswith('20000x10000 ')
    assert told.endswith(' is more than --max_pixels 89478485')


def test_a_coded_size_that_the_container_does_not_tell_is_refused():
    small = patched(QUARTERS, QUARTERS.index(b'ispe') + 8, 32, 32, pack='>II')
    assert reason(small).startswith('damaged (')


@pytest.mark.parametrize('length', [16, 40, 200, 400, len(QUARTERS) - 60])
def test_a_cut_heic_is_rejected(length):
    assert reason(QUARTERS[:length]).startswith('damaged (')


def test_every_byte_may_be_wrong():
    """Whatever stands in the boxes, the outcome is an image or a reason."""
    start = QUARTERS.index(b'mdat')
    for at in range(start):
        broken = QUARTERS[:at] + b'\xff' + QUARTERS[at + 1 :]
        primary_picture(broken)
        with contextlib.suppress(RejectedImage):
            prepared(broken)


def test_another_codec_is_named():
    data = QUARTERS.replace(b'hvc1', b'av01')
    assert reason(data) == 'HEIF whose primary picture is missing or of an unknown codec'


def test_a_missing_decoder_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pi_heif', None)
    expected = 'HEIF: its decoder is not installed (the package pi-heif)'
    assert reason(QUARTERS) == expected


@pytest.mark.parametrize(
    ('start', 'what'),
    [
        (b'\xff\x0a\xfa', 'JPEG XL'),
        (b'\0\0\0\x0cJXL \r\n\x87\n', 'JPEG XL'),
        (bytes(128) + b'DICM', 'DICOM'),
        (b'\0\0\0\x18ftypcrx \0\0\0\1crx isom', "a camera's raw file"),
        (b'FUJIFILMCCD-RAW 0201', "a camera's raw file"),
        (b'IIU\0\x18\0\0\0', "a camera's raw file"),
        (b'IIRO\x08\0\0\0', "a camera's raw file"),
        (b'8BPS\0\1', 'a Photoshop document'),
    ],
)
def test_pictures_of_other_kinds_are_named_with_the_way_on(start, what):
    told = reason(start + bytes(200))
    assert told.startswith(what)
    assert ' first' in told
