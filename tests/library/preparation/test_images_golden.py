"""What pixels come out, worked out by hand: transparency, bit depths and colour spaces."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from tests.library.preparation.drawn_pictures import (
    RED,
    WHITE,
    assert_flat,
    encoded,
    plain_cmyk_jpeg,
    png,
    png_chunk,
    prepared_pixels,
    reason,
    tiff,
)


def halves(pixels):
    """The left and the right half, without the seam, where JPEG blends."""
    middle = pixels.shape[1] // 2
    return pixels[:, : middle - 2], pixels[:, middle + 2 :]


def assert_halves(data, left, right):
    found = halves(prepared_pixels(data))
    assert_flat(found[0], left)
    assert_flat(found[1], right)


def two_halves(image, left, right):
    image.paste(left, (0, 0, image.width // 2, image.height))
    image.paste(right, (image.width // 2, 0, image.width, image.height))
    return image


@pytest.mark.parametrize('kind', ['PNG', 'WEBP', 'TIFF'])
@pytest.mark.parametrize(
    ('alpha', 'expected'),
    [(0, WHITE), (255, (200, 10, 20)), (128, (227, 132, 137)), (51, (244, 206, 208))],
)
def test_alpha_is_laid_on_white_and_the_colour_hidden_in_it_is_gone(alpha, expected, kind):
    image = Image.new('RGBA', (16, 16), (200, 10, 20, alpha))
    options = {'lossless': True, 'exact': True} if kind == 'WEBP' else {}
    assert_flat(prepared_pixels(encoded(image, kind, **options)), expected)


@pytest.mark.parametrize('kind', ['PNG', 'TIFF'])
def test_grey_with_alpha_is_laid_on_white(kind):
    image = Image.new('LA', (16, 16), (0, 128))
    assert_flat(prepared_pixels(encoded(image, kind)), (127, 127, 127))


def test_colours_that_already_hold_their_alpha_are_laid_on_white():
    # Half of (200, 10, 20) is (100, 5, 10); the rest of the light is white.
    data = tiff((16, 16), [8] * 4, 2, bytes([100, 5, 10, 128] * 256), t338=[1])
    assert_flat(prepared_pixels(data), (227, 132, 137))
    deep = struct.pack('<4H', 25_700, 1285, 2570, 32_896) * 256
    assert_flat(prepared_pixels(tiff((16, 16), [16] * 4, 2, deep, t338=[1])), (227, 132, 137))
    data = tiff((16, 16), [8, 8], 1, bytes([50, 128] * 256), t338=[1])
    assert_flat(prepared_pixels(data), (177, 177, 177))


def test_a_transparent_colour_is_laid_on_white():
    image = two_halves(Image.new('RGB', (32, 16)), (10, 20, 30), (200, 10, 20))
    assert_halves(encoded(image, 'PNG', transparency=(10, 20, 30)), WHITE, (200, 10, 20))


@pytest.mark.parametrize(
    ('depth', 'color_type', 'left', 'right', 'clear', 'expected'),
    [
        (1, 0, b'\0\0', b'\xff\xff', b'\0\0', (WHITE, WHITE)),
        (2, 0, b'\x55' * 4, b'\xaa' * 4, b'\0\1', (WHITE, (170, 170, 170))),
        (4, 0, b'\x33' * 8, b'\xaa' * 8, b'\0\3', (WHITE, (170, 170, 170))),
        (8, 0, b'\x64' * 16, b'\xaa' * 16, b'\0\x64', (WHITE, (170, 170, 170))),
        (16, 0, b'\x64\1' * 16, b'\xaa\1' * 16, b'\x64\1', (WHITE, (170, 170, 170))),
        (16, 2, b'\x64\1' * 48, b'\xaa\1' * 48, b'\x64\1' * 3, (WHITE, (170, 170, 170))),
    ],
)
def test_a_transparent_colour_counts_in_the_bits_of_the_file(
    depth, color_type, left, right, clear, expected
):
    rows = (b'\0' + left + right) * 16
    assert_halves(png((32, 16), depth, color_type, rows, png_chunk(b'tRNS', clear)), *expected)


def palette_image():
    image = two_halves(Image.new('P', (32, 16)), 0, 1)
    image.putpalette([10, 20, 30, 200, 10, 20])
    return image


@pytest.mark.parametrize('kind', ['PNG', 'GIF', 'TIFF', 'BMP'])
def test_a_palette_becomes_its_colours(kind):
    assert_halves(encoded(palette_image(), kind), (10, 20, 30), (200, 10, 20))


@pytest.mark.parametrize(
    ('kind', 'transparency', 'expected'),
    [
        ('PNG', 1, WHITE),
        ('PNG', bytes([255, 128]), (227, 132, 137)),
        ('GIF', 1, WHITE),
    ],
)
def test_transparency_of_a_palette_is_laid_on_white(kind, transparency, expected):
    data = encoded(palette_image(), kind, transparency=transparency)
    assert_halves(data, (10, 20, 30), expected)


def test_a_palette_with_alpha_is_laid_on_white():
    palette = [257 * each for each in (200, 10, 20) for _ in range(256)]
    data = tiff((16, 16), [8, 8], 3, bytes([7, 128] * 256), t320=palette, t338=[2])
    assert_flat(prepared_pixels(data), (227, 132, 137))


@pytest.mark.parametrize('kind', ['PNG', 'TIFF', 'BMP', 'GIF'])
def test_one_bit_becomes_black_and_white(kind):
    image = two_halves(Image.new('1', (32, 16)), 0, 1)
    assert_halves(encoded(image, kind), (0, 0, 0), WHITE)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF', 'BMP', 'GIF', 'WEBP'])
def test_grey_gets_three_equal_channels(kind):
    data = encoded(Image.new('L', (16, 16), 90), kind)
    assert_flat(prepared_pixels(data), (90, 90, 90))


# Flat grey goes through JPEG unharmed, so the values are exact.
LEVELS = [(0, 0), (128, 0), (129, 1), (25_700, 100), (65_407, 255), (65_535, 255)]


@pytest.mark.parametrize(('value', 'expected'), LEVELS)
def test_sixteen_bits_of_grey_are_scaled_to_eight(value, expected):
    grey = np.full((16, 16), value, np.uint16)
    little, big = grey.tobytes(), grey.astype('>u2').tobytes()
    packed = encoded(Image.fromarray(grey), 'TIFF', compression='tiff_adobe_deflate')
    for data in (
        encoded(Image.fromarray(grey), 'PNG'),
        tiff((16, 16), [16], 1, little),
        tiff((16, 16), [16], 1, big, '>'),
        packed,
    ):
        np.testing.assert_array_equal(prepared_pixels(data), expected)
    inverted = prepared_pixels(tiff((16, 16), [16], 0, little))
    np.testing.assert_array_equal(inverted, 255 - expected)


def test_eight_and_twelve_bits_know_their_own_white():
    np.testing.assert_array_equal(prepared_pixels(tiff((16, 16), [8], 0, bytes([55] * 256))), 200)
    for packed, expected in ((b'\xff\xff\xff', 255), (b'\x64\x66\x46', 100), (b'\0\0\0', 0)):
        pixels = prepared_pixels(tiff((16, 16), [12], 1, packed * 128))
        np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize(('value', 'expected'), LEVELS)
def test_sixteen_bits_of_colour_are_right_within_a_level(value, expected):
    rows = (b'\0' + struct.pack('>H', value) * 48) * 16
    datas = [png((16, 16), 16, 2, rows)]
    for order in '<>':
        pixels = struct.pack(order + 'H', value) * 768
        datas.append(tiff((16, 16), [16] * 3, 2, pixels, order))
    for data in datas:
        np.testing.assert_allclose(prepared_pixels(data), expected, atol=1)
    deep = struct.pack('<3H', 51_400, 2570, 5140) * 256
    assert_flat(prepared_pixels(tiff((16, 16), [16] * 3, 2, deep)), (200, 10, 20))


def test_sixteen_bits_of_an_old_grey_map_are_scaled_too():
    data = b'P5\n16 16\n65535\n' + struct.pack('>H', 25_700) * 256
    np.testing.assert_array_equal(prepared_pixels(data, formats=('PPM',)), 100)
    data = b'P2\n16 16\n1023\n' + b'512 ' * 256
    np.testing.assert_array_equal(prepared_pixels(data, formats=('PPM',)), 128)


def test_pixels_that_do_not_tell_their_white_are_rejected():
    unsaid = 'the file does not say which value is white (convert_dataset.py --white_value)'
    whole = f'32-bit or signed whole numbers: {unsaid}'
    assert reason(tiff((16, 16), [32], 1, bytes(1024))) == whole
    assert reason(tiff((16, 16), [16], 1, bytes(512), t339=[2])) == whole
    floats = f'32-bit floating-point numbers: {unsaid}'
    assert reason(tiff((16, 16), [32], 1, bytes(1024), t339=[3])) == floats
    assert reason(b'Pf\n16 16\n-1.0\n' + bytes(1024), formats=('PPM',)) == floats


# Ink of 0 to 255, and (255 - ink) * (255 - black) / 255.
INKS = [
    ((0, 255, 255, 0), RED),
    ((0, 0, 0, 0), WHITE),
    ((0, 0, 0, 255), (0, 0, 0)),
    ((100, 50, 0, 100), (94, 125, 155)),
    ((255, 100, 30, 40), (0, 131, 190)),
]


@pytest.mark.parametrize('max_edge', [64, 8])
@pytest.mark.parametrize(('ink', 'expected'), INKS)
def test_cmyk_becomes_the_light_that_its_ink_leaves(ink, expected, max_edge):
    image = Image.new('CMYK', (64, 32), ink)
    with_marker, without = encoded(image), plain_cmyk_jpeg(image)
    assert (b'Adobe' in with_marker, b'Adobe' in without) == (True, False)
    for data in (with_marker, without, encoded(image, 'TIFF')):
        assert_flat(prepared_pixels(data, max(max_edge, 16)), expected)
    deep = struct.pack('<4H', *(257 * each for each in ink)) * 256
    assert_flat(prepared_pixels(tiff((16, 16), [16] * 4, 5, deep)), expected)


def test_an_adobe_marker_too_short_to_count_is_none():
    # libjpeg and TensorFlow ask for twelve bytes.
    image = Image.new('CMYK', (16, 16), (0, 255, 255, 0))
    data = plain_cmyk_jpeg(image)
    short = data[:2] + b'\xff\xee\0\x0aAdobe\0d\0' + data[2:]
    assert_flat(prepared_pixels(short), RED)


def test_colours_of_ycck_are_worked_out_before_the_ink():
    # Adobe's inverted ink (0, 255, 255) as luma and chroma is (179, 171, 1); transform 2 says so.
    image = Image.new('CMYK', (16, 16), tuple(255 - each for each in (179, 171, 1, 255)))
    data = encoded(image)
    marker = data.index(b'Adobe') + 11
    assert data[marker] == 0
    # What is stored is what libjpeg turns into 255 minus red, green and blue.
    assert_flat(prepared_pixels(data[:marker] + b'\2' + data[marker + 1 :]), RED)


def test_luma_and_chroma_of_a_tiff_become_colours():
    # Red by the standard's weights; the second file holds one chroma for two by two pixels.
    full = tiff((16, 16), [8] * 3, 6, bytes([76, 85, 255] * 256), t530=[1, 1])
    halved = tiff((16, 16), [8] * 3, 6, bytes([76] * 4 + [85, 255]) * 64, t530=[2, 2])
    assert_flat(prepared_pixels(full), (254, 0, 0))
    assert_flat(prepared_pixels(halved), (254, 0, 0))


def test_lightness_of_a_tiff_becomes_grey():
    # Lightness 53.6 of 100 is the grey 128; a and b of 0 are no colour.
    np.testing.assert_allclose(
        prepared_pixels(tiff((16, 16), [8] * 3, 8, bytes([137, 0, 0] * 256))), 128, atol=2
    )
    red = prepared_pixels(tiff((16, 16), [8] * 3, 8, bytes([138, 81, 70] * 256)))
    np.testing.assert_allclose(red, np.broadcast_to(RED, red.shape), atol=12)
