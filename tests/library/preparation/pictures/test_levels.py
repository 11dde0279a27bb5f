"""Pictures of more than 8 bits: which value is white, worked out by hand."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from library.preparation.images import prepare_image
from library.preparation.pictures.levels import to_bytes
from library.preparation.pictures.picture_options import PictureOptions
from tests.library.preparation.drawn_pictures import (
    assert_flat,
    encoded,
    png,
    png_chunk,
    prepared_pixels,
    reason,
    tiff,
)


def levels(white=None, black=None):
    return {'pictures': PictureOptions(white_value=white, black_value=black)}


TWELVE = levels('4095')
GREY_SIZE = (16, 16)


def grey_files(value):
    """The same flat grey as PNG, and as TIFF of both byte orders, packed and not."""
    grey = np.full(GREY_SIZE, value, np.uint16)
    return {
        'png': encoded(Image.fromarray(grey), 'PNG'),
        'little': tiff(GREY_SIZE, [16], 1, grey.tobytes()),
        'big': tiff(GREY_SIZE, [16], 1, grey.astype('>u2').tobytes(), '>'),
        'packed': encoded(Image.fromarray(grey), 'TIFF', compression='tiff_lzw'),
    }


def colour_files(color):
    """The same flat colour as PNG, filtered and not, and as TIFF, packed and not."""
    flat = np.full((16, 16, len(color)), color, np.uint16)
    big, kind = flat.astype('>u2').tobytes(), {2: 4, 3: 2, 4: 6}[len(color)]
    row = len(color) * 32
    rows = b''.join(b'\0' + big[start : start + row] for start in range(0, len(big), row))
    files = {'png': png(GREY_SIZE, 16, kind, rows)}
    # Each sample less the one of the pixel before it: nothing but zeros behind the first.
    step = 2 * len(color)
    files['filtered png'] = png(GREY_SIZE, 16, kind, (b'\1' + big[:step] + bytes(row - step)) * 16)
    if len(color) > 2:
        extra = {'t338': [2]} if len(color) == 4 else {}
        bits = [16] * len(color)
        files['little'] = tiff(GREY_SIZE, bits, 2, flat.tobytes(), **extra)
        files['big'] = tiff(GREY_SIZE, bits, 2, big, '>', **extra)
        packed = zlib.compress(flat.tobytes())
        files['packed'] = tiff(GREY_SIZE, bits, 2, packed, t259=[8], **extra)
    return files


# (value - black) / (white - black) * 255, half a level up.
WINDOWS = [
    (3300, '4095', None, 205),  # 205.49
    (2500, '4095', None, 156),  # 155.68
    (2500, '3300', '0', 193),  # 193.18
    (4095, '4095', None, 255),
    (5000, '4095', None, 255),  # beyond it
    (0, '4095', None, 0),
    (1024, '4095', '1024', 0),
    (500, '4095', '1024', 0),
    (2000, '3000', '1000', 128),  # 127.5
    (32_000, '65535', None, 125),  # 124.51
]


@pytest.mark.parametrize(('value', 'white', 'black', 'expected'), WINDOWS)
def test_grey_goes_by_the_black_and_white_of_its_data_set(value, white, black, expected):
    for kind, data in grey_files(value).items():
        found = prepared_pixels(data, **levels(white, black))
        np.testing.assert_array_equal(found, expected, err_msg=kind)


def test_where_white_is_zero_the_window_counts_before_it_is_turned_round():
    data = tiff(GREY_SIZE, [16], 0, np.full(256, 3300, np.uint16).tobytes())
    np.testing.assert_array_equal(prepared_pixels(data, **TWELVE), 50)


def test_colour_goes_by_the_window_with_all_its_bits():
    # Of 16 levels to one of Pillow's: 1000, 1015 and 40 are 62.27, 63.20 and 2.49.
    for kind, data in colour_files((1000, 1015, 40)).items():
        found = prepared_pixels(data, **TWELVE).reshape(-1, 3)
        np.testing.assert_allclose(found.mean(axis=0), (62, 63, 2), atol=1.5, err_msg=kind)
    for kind, data in colour_files((1015,) * 3).items():
        np.testing.assert_array_equal(prepared_pixels(data, **TWELVE), 63, err_msg=kind)


def test_a_ramp_of_colour_keeps_more_than_eight_bits_hold():
    ramp = np.arange(256, dtype=np.uint16).reshape(16, 16) * 2  # of 512, which are 2 of 256 levels
    rows = b''.join(b'\0' + np.repeat(row, 3).astype('>u2').tobytes() for row in ramp)
    found = prepared_pixels(png(GREY_SIZE, 16, 2, rows), **levels('511'))
    np.testing.assert_allclose(found[..., 0], ramp / 511 * 255, atol=3)


def test_opacity_is_not_mapped():
    # A quarter of the light is the colour's 62; the rest is white: 62 / 4 + 255 * 3 / 4 = 206.75.
    for kind, data in (
        colour_files((1000, 1000, 1000, 16_448)) | colour_files((1000, 16_448))
    ).items():
        assert_flat(prepared_pixels(data, **TWELVE), (207,) * 3, kind)
    # Premultiplied: the file holds a quarter of 1000.
    pixels = np.full((16, 16, 4), (250, 250, 250, 16_448), np.uint16).tobytes()
    data = tiff(GREY_SIZE, [16] * 4, 2, pixels, t338=[1])
    assert_flat(prepared_pixels(data, **TWELVE), (207,) * 3)


@pytest.mark.parametrize(('kind', 'samples', 'clear'), [(0, 1, b'\3\xe8'), (2, 3, b'\3\xe8' * 3)])
def test_a_transparent_colour_of_16_bits_is_found_before_it_is_mapped(kind, samples, clear):
    left, right = struct.pack('>H', 1000) * samples * 8, struct.pack('>H', 1001) * samples * 8
    data = png(GREY_SIZE, 16, kind, (b'\0' + left + right) * 16, png_chunk(b'tRNS', clear))
    found = prepared_pixels(data, **TWELVE)
    assert_flat(found[:, :6], (255,) * 3)
    assert_flat(found[:, 10:], (62,) * 3)


def test_floats_go_by_the_window():
    half = np.full(256, 0.5, np.float32).tobytes()
    data = tiff(GREY_SIZE, [32], 1, half, t339=[3])
    np.testing.assert_array_equal(prepared_pixels(data, **levels('1')), 128)
    np.testing.assert_array_equal(prepared_pixels(data, **levels('2.0')), 64)


@pytest.mark.parametrize('order', '<>')
def test_numbers_are_read_in_the_order_of_their_file(order):
    size = GREY_SIZE
    data = tiff(size, [32], 1, np.full(256, 0.5, f'{order}f4').tobytes(), order, t339=[3])
    np.testing.assert_array_equal(prepared_pixels(data, **levels('1')), 128)
    data = tiff(size, [16], 1, np.full(256, -24, f'{order}i2').tobytes(), order, t339=[2])
    np.testing.assert_array_equal(prepared_pixels(data, **levels('1000', '-1024')), 126)
    data = tiff(size, [32], 1, np.full(256, -24, f'{order}i4').tobytes(), order, t339=[2])
    np.testing.assert_array_equal(prepared_pixels(data, **levels('1000', '-1024')), 126)


def test_whole_numbers_without_a_sign_reach_up_to_32_bits():
    data = tiff(GREY_SIZE, [32], 1, np.full(256, 3_000_000_000, '<u4').tobytes())
    np.testing.assert_array_equal(prepared_pixels(data, **levels('4000000000')), 191)


def test_what_is_no_number_is_black():
    found = to_bytes(np.array([np.nan, np.inf, -np.inf, 0.25], np.float32), 0.0, 1.0)
    np.testing.assert_array_equal(found, [0, 255, 0, 64])


@pytest.mark.parametrize(
    'image', [Image.new('L', GREY_SIZE, 90), Image.new('RGB', GREY_SIZE, (90,) * 3)]
)
@pytest.mark.parametrize('kind', ['PNG', 'TIFF', 'BMP', 'JPEG'])
def test_eight_bits_are_left_alone(kind, image):
    data = encoded(image, kind)
    assert prepare_image(data, 64, 80, **TWELVE) == prepare_image(data, 64, 80)


def with_significant_bits(value, bits):
    rows = (b'\0' + struct.pack('>H', value) * 16) * 16
    return png(GREY_SIZE, 16, 0, rows, png_chunk(b'sBIT', bytes([bits])))


@pytest.mark.parametrize(
    ('value', 'bits', 'expected'),
    [
        (3300, 12, 205),  # bare numbers of 12 bits
        (512, 10, 128),  # 127.6
        (3300 << 4, 12, 205),  # in the high bits, where the standard wants them
        (8001, 14, 125),  # 124.5: bare numbers, as the low bits are in use
        (2000 << 2, 14, 31),  # in the high bits, and dark: 8000 / 257
        (700, 16, 3),  # all bits: nothing said
    ],
)
def test_significant_bits_of_a_png_say_what_is_white(value, bits, expected):
    data = with_significant_bits(value, bits)
    np.testing.assert_array_equal(prepared_pixels(data), expected)


def test_significant_bits_of_colour_count_too():
    rows = (b'\0' + struct.pack('>H', 3300) * 48) * 16
    data = png(GREY_SIZE, 16, 2, rows, png_chunk(b'sBIT', bytes([12] * 3)))
    np.testing.assert_array_equal(prepared_pixels(data), 205)


@pytest.mark.parametrize(
    ('value', 'stated', 'expected'),
    [
        (3300, 4095, 205),
        (512, 1023, 128),
        (3300, 3300, 13),  # the highest that occurs, of this picture alone: 3300 / 257
        (5000, 4095, 19),  # not true
    ],
)
def test_the_largest_value_of_a_tiff_says_what_is_white(value, stated, expected):
    grey = np.full(256, value, np.uint16).tobytes()
    data = tiff(GREY_SIZE, [16], 1, grey, t281=[stated])
    np.testing.assert_array_equal(prepared_pixels(data), expected)
    color = np.full(768, value, np.uint16).tobytes()
    data = tiff(GREY_SIZE, [16] * 3, 2, color, t281=[stated] * 3)
    np.testing.assert_allclose(prepared_pixels(data), expected, atol=1)


def test_the_window_of_the_data_set_counts_before_what_a_file_says():
    data = tiff(GREY_SIZE, [16], 1, np.full(256, 500, np.uint16).tobytes(), t281=[1023])
    np.testing.assert_array_equal(prepared_pixels(data, **TWELVE), 31)
    np.testing.assert_array_equal(prepared_pixels(with_significant_bits(500, 10), **TWELVE), 31)
    # 12 bits in a byte and a half: 0x646 is 1606.
    data = tiff(GREY_SIZE, [12], 1, b'\x64\x66\x46' * 128)
    np.testing.assert_array_equal(prepared_pixels(data, **levels('3212')), 128)


def test_a_grey_map_is_read_as_its_numbers_are():
    data = b'P5\n16 16\n1023\n' + struct.pack('>H', 512) * 256
    np.testing.assert_array_equal(prepared_pixels(data, formats=('PPM',), **TWELVE), 32)
    data = b'P5\n16 16\n65535\n' + struct.pack('>H', 3300) * 256
    np.testing.assert_array_equal(prepared_pixels(data, formats=('PPM',), **TWELVE), 205)


def test_jpeg_2000_is_read_as_its_numbers_are():
    grey = Image.fromarray(np.full(GREY_SIZE, 3300, np.uint16))
    data = encoded(grey, 'JPEG2000')
    np.testing.assert_array_equal(prepared_pixels(data, formats=('JPEG2000',), **TWELVE), 205)


def test_colour_that_pillow_reads_with_8_bits_alone_is_rejected_where_they_are_too_few():
    data = b'P6\n16 16\n65535\n' + struct.pack('>H', 3300) * 768
    few = 'colour of more than 8 bits (PPM), of which Pillow keeps 8: too few for'
    assert reason(data, formats=('PPM',), **TWELVE).startswith(few)
    known = b'P6\n16 16\n4095\n' + struct.pack('>H', 3300) * 768
    np.testing.assert_allclose(prepared_pixels(known, formats=('PPM',), **TWELVE), 205, atol=1)
    planes = np.full(768, 3300, np.uint16).tobytes()
    data = tiff(GREY_SIZE, [16] * 3, 2, planes, t284=[2], t273=[8, 520, 1032], t279=[512] * 3)
    assert 'planes' in reason(data, **TWELVE)
    assert_flat(prepared_pixels(data), (12,) * 3)


def test_mapping_counts_among_what_decoding_holds():
    # 256 pixels of 6 bytes, and with a window of 17: as 512 and as 1451 pixels of 3 bytes.
    data = colour_files((1000, 1015, 40))['png']
    assert prepare_image(data, 64, 80, max_pixels=512).width == 16
    assert reason(data, max_pixels=1450, **TWELVE) == (
        '16x16 counts as 1451 pixels, which is more than --max_pixels 1450'
    )
    assert prepare_image(data, 64, 80, max_pixels=1451, **TWELVE).width == 16


def test_a_black_above_the_white_of_a_file_is_a_reason():
    data = tiff(GREY_SIZE, [12], 1, b'\x64\x66\x46' * 128)
    assert reason(data, **levels(black='5000')) == (
        'its white value, 4095, is not above --black_value 5000'
    )


def test_a_picture_tells_that_its_window_was_used():
    grey, eight = grey_files(3300)['png'], encoded(Image.new('L', GREY_SIZE, 9), 'PNG')
    assert prepare_image(grey, 64, 80, **TWELVE).changes == ('windowed',)
    assert prepare_image(grey, 64, 80).changes == ()
    assert prepare_image(eight, 64, 80, **TWELVE).changes == ()
