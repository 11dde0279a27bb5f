"""TIFFs that Pillow does not read, or reads as black."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from library.preparation.images import prepare_image
from tests.library.preparation.drawn_pictures import (
    assert_flat,
    encoded,
    prepared_pixels,
    reason,
    tiff,
)

SIZE = (16, 16)


@pytest.mark.parametrize(
    ('bits', 'photometric', 'tags', 'expected'),
    [
        ([64], 1, {'t339': [3]}, '1 band of 64 floating-point bits, grey'),
        ([32] * 3, 2, {'t339': [3] * 3}, '3 bands of 32 floating-point bits, RGB'),
        ([14] * 3, 2, {'t259': [5]}, '3 bands of 14 bits, RGB, LZW'),
        ([16], 3, {'t320': [0] * 3}, '1 band of 16 bits, a palette'),
        ([8, 8, 8, 16], 2, {'t338': [0]}, '4 bands of 8/16 bits, RGB'),
        ([32] * 7, 1, {'t284': [2], 't338': [1] * 6}, '7 bands of 32 bits, grey, planes apart'),
        ([8] * 3, 9, {}, '3 bands of 8 bits, ICCLab'),
    ],
)
@pytest.mark.parametrize('order', '<>')
def test_the_reason_says_what_the_file_holds(bits, photometric, tags, expected, order):
    data = tiff(SIZE, bits, photometric, bytes(4096), order, **tags)
    assert reason(data) == f'cannot be read (TIFF: {expected})'


@pytest.mark.parametrize(
    ('compression', 'name'), [(50001, 'WebP'), (34887, 'LERC'), (34712, 'JPEG 2000')]
)
def test_a_compression_that_is_lacking_is_named_and_the_file_not_blamed(compression, name):
    data = tiff(SIZE, [8] * 3, 2, bytes(768), t259=[compression])
    assert reason(data) == f"compressed with {name}, which Pillow's libtiff lacks"


def test_a_compression_that_nobody_knows_is_told_by_its_number():
    data = tiff(SIZE, [8] * 3, 2, bytes(768), t259=[4711])
    assert reason(data) == 'cannot be read (TIFF: 3 bands of 8 bits, RGB, compression 4711)'


def test_what_is_cut_is_still_damaged():
    whole = encoded(Image.fromarray(np.zeros((64, 64), np.uint8)), 'TIFF')
    assert reason(whole[:2000]).startswith('damaged (')
    assert reason(tiff(SIZE, [8], 1, b'', t273=[9999])).startswith('damaged (decoder error')


def palette_file(colors, scale, **tags):
    """Halves of the two first colours of a palette whose entries are so many times the colour."""
    entries = [scale * color[plane] for plane in range(3) for color in colors]
    return tiff((64, 16), [8], 3, bytes(([0] * 32 + [1] * 32) * 16), t320=entries, **tags)


COLORS = [(240, 230, 20), (10, 90, 200)] + [(0, 0, 0)] * 254


@pytest.mark.parametrize('scale', [1, 257])
def test_a_palette_of_8_or_16_bits_has_its_colours(scale):
    found = prepared_pixels(palette_file(COLORS, scale))
    assert_flat(found[:, :30], COLORS[0])
    assert_flat(found[:, 34:], COLORS[1])


def test_a_palette_of_16_bits_with_dark_colours_stays_dark():
    dark = [(240, 230, 20), (1, 0, 0)] + [(0, 0, 0)] * 254
    entries = [
        256 if color == (1, 0, 0) and not plane else 0 for plane in range(3) for color in dark
    ]
    data = tiff(SIZE, [8], 3, bytes([1] * 256), t320=entries)
    assert_flat(prepared_pixels(data), (1, 0, 0))


def test_a_palette_with_a_second_band_has_its_colours():
    entries = [color[plane] for plane in range(3) for color in COLORS]
    data = tiff(SIZE, [8, 8], 3, bytes([1, 255] * 256), t320=entries, t338=[2])
    assert_flat(prepared_pixels(data), COLORS[1])


def test_a_picture_that_is_of_one_colour_on_its_background_tells_so():
    icon = Image.new('RGBA', (32, 32), (255, 255, 255, 0))
    icon.paste((255, 255, 255, 255), (8, 8, 24, 24))
    changes = ('laid on a background', 'of one colour on the background')
    assert prepare_image(encoded(icon, 'PNG'), 64, 80).changes == changes
    icon.paste((250, 10, 10, 255), (8, 8, 24, 24))
    assert prepare_image(encoded(icon, 'PNG'), 64, 80).changes == changes[:1]
    blank = Image.new('RGB', (32, 32), 'white')
    assert prepare_image(encoded(blank, 'PNG'), 64, 80).changes == ()
