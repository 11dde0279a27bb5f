"""Bytes of one image file to an upright RGB JPEG, or the reason why not."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from library.preparation import images
from library.preparation.images import RejectedImage, prepare_image

# What JPEG of quality 80 may move a flat colour by.
TOLERANCE = 3
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(image, kind='JPEG', **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(width, height, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def prepared_pixels(data, max_edge=64):
    """The stored pixels; also checks that the facts told about them are true."""
    prepared = prepare_image(data, max_edge, quality=80)
    image = Image.open(io.BytesIO(prepared.jpeg))
    assert (image.format, image.mode) == ('JPEG', 'RGB')
    assert image.size == (prepared.width, prepared.height)
    assert prepared.reencoded
    return np.asarray(image).astype(int)


def prepared_halves(data):
    """The stored pixels of the left and the right half, without the seam, where JPEG blends."""
    pixels = prepared_pixels(data)
    middle = pixels.shape[1] // 2
    return pixels[:, : middle - 2], pixels[:, middle + 2 :]


def assert_flat(pixels, color):
    np.testing.assert_allclose(pixels, np.broadcast_to(color, pixels.shape), atol=TOLERANCE)


def reason(data, max_edge=64):
    with pytest.raises(RejectedImage) as caught:
        prepare_image(data, max_edge, quality=80)
    return str(caught.value)


def without_segment(jpeg, marker):
    start = jpeg.index(marker)
    (length,) = struct.unpack('>H', jpeg[start + 2 : start + 4])
    return jpeg[:start] + jpeg[start + 2 + length :]


def png_chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png_without_pixels(width, height):
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + png_chunk(b'IHDR', header) + png_chunk(b'IDAT', b'')


def exif_of(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


@pytest.mark.parametrize('size', [(48, 32), (64, 64), (8, 8)])
def test_a_jpeg_that_needs_no_change_is_kept_byte_for_byte(size):
    data = encoded(noise(*size))
    prepared = prepare_image(data, max_edge=64, quality=80)
    assert prepared.jpeg == data
    assert (prepared.width, prepared.height, prepared.reencoded) == (*size, False)


def test_an_upright_jpeg_keeps_its_metadata_byte_for_byte():
    data = encoded(noise(48, 32), exif=exif_of(1), comment=b'by the lake')
    assert prepare_image(data, max_edge=64, quality=80).jpeg == data


def test_a_progressive_jpeg_is_kept_byte_for_byte():
    data = encoded(noise(48, 32), progressive=True)
    assert prepare_image(data, max_edge=64, quality=80).jpeg == data


def test_the_asked_quality_does_not_touch_a_jpeg_that_fits():
    data = encoded(noise(48, 32), quality=95)
    assert prepare_image(data, max_edge=64, quality=10).jpeg == data


# The corners of the upright picture, row by row, of a file whose pixels read red green / blue
# white: the table of the EXIF standard.
UPRIGHT_CORNERS = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED),
    8: (GREEN, WHITE, RED, BLUE),
}


def four_corners(width, height):
    image = Image.new('RGB', (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(WHITE, (width // 2, height // 2, width, height))
    return image


def assert_corners(pixels, corners):
    found = [pixels[y, x] for y in (1, -2) for x in (1, -2)]
    np.testing.assert_allclose(found, corners, atol=12)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
@pytest.mark.parametrize('orientation', range(2, 9))
def test_an_image_is_turned_upright_by_its_exif_tag(orientation, kind):
    data = encoded(four_corners(64, 32), kind, exif=exif_of(orientation))
    pixels = prepared_pixels(data)
    assert pixels.shape == ((64, 32, 3) if orientation > 4 else (32, 64, 3))
    assert_corners(pixels, UPRIGHT_CORNERS[orientation])


@pytest.mark.parametrize('orientation', range(1, 9))
def test_an_image_is_turned_upright_when_it_is_shrunk_too(orientation):
    data = encoded(four_corners(256, 128), quality=95, exif=exif_of(orientation))
    pixels = prepared_pixels(data, max_edge=32)
    assert pixels.shape == ((32, 16, 3) if orientation > 4 else (16, 32, 3))
    assert_corners(pixels, UPRIGHT_CORNERS[orientation])


def test_a_transparent_png_is_turned_upright():
    image = four_corners(64, 32).convert('RGBA')
    image.paste((0, 0, 0, 0), (0, 0, 32, 16))
    pixels = prepared_pixels(encoded(image, 'PNG', exif=exif_of(6)))
    assert_corners(pixels, (BLUE, WHITE, WHITE, GREEN))


def test_a_turned_image_does_not_carry_the_tag_that_would_turn_it_again():
    data = encoded(noise(48, 32), exif=exif_of(6), comment=b'by the lake')
    stored = Image.open(io.BytesIO(prepare_image(data, 64, quality=80).jpeg))
    assert not stored.getexif()
    assert 'comment' not in stored.info


def test_other_exif_tags_may_be_odd():
    # Orientation 6, and a width that claims to be text.
    entries = struct.pack('<HHHII', 2, 0x112, 3, 1, 6) + struct.pack('<HHII', 0x100, 2, 1, 5)
    exif = b'Exif\0\0II*\0\x08\0\0\0' + entries + b'\0\0\0\0'
    pixels = prepared_pixels(encoded(four_corners(64, 32), exif=exif))
    assert_corners(pixels, UPRIGHT_CORNERS[6])


def test_broken_exif_data_says_nothing_about_the_picture():
    kept = encoded(noise(48, 32), exif=b'Exif\0\0no such thing')
    assert prepare_image(kept, 64, quality=80).jpeg == kept
    png = encoded(Image.new('RGB', (16, 16), RED), 'PNG', exif=b'no such thing')
    assert_flat(prepared_pixels(png), RED)


def test_a_long_comment_does_not_reject_a_png():
    info = PngImagePlugin.PngInfo()
    info.add_text('comment', 'x' * 70_000)
    png = encoded(Image.new('RGB', (16, 16), RED), 'PNG', pnginfo=info)
    assert_flat(prepared_pixels(png), RED)


@pytest.mark.parametrize(
    ('size', 'expected'),
    [((128, 96), (64, 48)), ((96, 128), (48, 64)), ((65, 64), (64, 63)), ((640, 100), (64, 10))],
)
def test_the_longest_edge_is_limited_and_the_shape_is_kept(size, expected):
    prepared = prepare_image(encoded(noise(*size)), max_edge=64, quality=80)
    assert (prepared.width, prepared.height) == expected
    assert prepared.reencoded


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_a_small_image_is_never_enlarged(kind):
    prepared = prepare_image(encoded(noise(20, 10), kind), max_edge=384, quality=80)
    assert (prepared.width, prepared.height) == (20, 10)


def test_shrinking_averages_what_lies_under_a_pixel():
    stripes = np.zeros((64, 256, 3), np.uint8)
    stripes[:, ::2] = 200
    pixels = prepared_pixels(encoded(Image.fromarray(stripes), 'PNG'), max_edge=32)
    np.testing.assert_allclose(pixels, 100, atol=8)


def test_the_quality_sets_the_size_of_an_image_encoded_anew():
    data = encoded(noise(64, 64), 'PNG')
    sizes = [len(prepare_image(data, 64, quality).jpeg) for quality in (10, 80, 100)]
    assert sizes == sorted(set(sizes))


def test_a_png_named_jpg_is_encoded_as_the_jpeg_it_claims_to_be():
    # The bytes alone tell; no name is ever asked.
    assert_flat(prepared_pixels(encoded(Image.new('RGB', (16, 16), BLUE), 'PNG')), BLUE)


def test_transparent_pixels_show_white_and_not_the_colour_hidden_in_them():
    image = Image.new('RGBA', (16, 16), (200, 10, 20, 0))
    assert_flat(prepared_pixels(encoded(image, 'PNG')), WHITE)


@pytest.mark.parametrize(
    ('alpha', 'expected'), [(255, (200, 10, 20)), (128, (227, 132, 137)), (51, (244, 206, 208))]
)
def test_alpha_is_laid_on_white(alpha, expected):
    image = Image.new('RGBA', (16, 16), (200, 10, 20, alpha))
    assert_flat(prepared_pixels(encoded(image, 'PNG')), expected)


def test_grey_with_alpha_is_laid_on_white():
    image = Image.new('LA', (16, 16), (0, 128))
    assert_flat(prepared_pixels(encoded(image, 'PNG')), (127, 127, 127))


def test_a_transparent_colour_is_laid_on_white():
    image = Image.new('RGB', (32, 16), (10, 20, 30))
    image.paste((200, 10, 20), (16, 0, 32, 16))
    halves = prepared_halves(encoded(image, 'PNG', transparency=(10, 20, 30)))
    assert_flat(halves[0], WHITE)
    assert_flat(halves[1], (200, 10, 20))


def palette_image():
    image = Image.new('P', (32, 16), 0)
    image.putpalette([10, 20, 30, 200, 10, 20])
    image.paste(1, (16, 0, 32, 16))
    return image


def test_a_palette_becomes_its_colours():
    halves = prepared_halves(encoded(palette_image(), 'PNG'))
    assert_flat(halves[0], (10, 20, 30))
    assert_flat(halves[1], (200, 10, 20))


@pytest.mark.parametrize(
    ('transparency', 'expected'), [(1, WHITE), (bytes([255, 128]), (227, 132, 137))]
)
def test_transparency_of_a_palette_is_laid_on_white(transparency, expected):
    halves = prepared_halves(encoded(palette_image(), 'PNG', transparency=transparency))
    assert_flat(halves[0], (10, 20, 30))
    assert_flat(halves[1], expected)


def test_one_bit_becomes_black_and_white():
    image = Image.new('1', (32, 16), 0)
    image.paste(1, (16, 0, 32, 16))
    halves = prepared_halves(encoded(image, 'PNG'))
    assert_flat(halves[0], (0, 0, 0))
    assert_flat(halves[1], WHITE)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_grey_gets_three_equal_channels(kind):
    data = encoded(Image.new('L', (16, 16), 90), kind)
    assert_flat(prepared_pixels(data), (90, 90, 90))


@pytest.mark.parametrize(
    ('value', 'expected'), [(0, 0), (128, 0), (129, 1), (25_700, 100), (65_407, 255), (65_535, 255)]
)
def test_sixteen_bits_of_grey_are_scaled_to_eight(value, expected):
    image = Image.fromarray(np.full((16, 16), value, np.uint16))
    # Flat grey goes through JPEG unharmed, so the value is exact.
    np.testing.assert_array_equal(prepared_pixels(encoded(image, 'PNG')), expected)


def test_cmyk_with_the_adobe_marker_becomes_rgb():
    data = encoded(Image.new('CMYK', (16, 16), (0, 255, 255, 0)))
    assert b'Adobe' in data
    assert_flat(prepared_pixels(data), RED)


def test_cmyk_without_the_adobe_marker_is_rejected():
    data = without_segment(encoded(Image.new('CMYK', (16, 16), (0, 255, 255, 0))), b'\xff\xee')
    assert reason(data) == 'CMYK without the Adobe marker: its colours are ambiguous'
    assert reason(data, max_edge=8) == 'CMYK without the Adobe marker: its colours are ambiguous'


def test_an_empty_file_is_rejected():
    assert reason(b'') == 'empty file'


@pytest.mark.parametrize('max_edge', [64, 16])
@pytest.mark.parametrize('options', [{}, {'progressive': True}, {'exif': exif_of(6)}])
def test_a_cut_jpeg_is_rejected(options, max_edge):
    data = encoded(noise(64, 64), **options)
    cut = data[: len(data) * 60 // 100]
    assert reason(cut, max_edge).startswith('damaged (image file is truncated')


def test_a_jpeg_without_its_last_bytes_is_rejected():
    assert reason(encoded(noise(64, 64))[:-2]).startswith('damaged (image file is truncated')


def test_a_cut_png_is_rejected():
    data = encoded(noise(64, 64), 'PNG')
    assert reason(data[: len(data) * 60 // 100]) == 'damaged (image file is truncated)'


def test_a_png_with_a_flipped_bit_is_rejected():
    data = bytearray(encoded(noise(64, 64), 'PNG'))
    data[len(data) // 2] ^= 1
    assert reason(bytes(data)).startswith('damaged (')


def test_every_cut_of_a_jpeg_is_rejected():
    data = encoded(noise(16, 16))
    for length in range(len(data)):
        assert reason(data[:length])


@pytest.mark.parametrize('data', [b'<!DOCTYPE html><title>404</title>', b'\0' * 1000, b'\xff\xd8'])
def test_what_is_no_image_is_rejected(data):
    assert reason(data) == 'not an image (JPEG or PNG)'


@pytest.mark.parametrize('kind', ['WEBP', 'GIF', 'BMP', 'TIFF', 'EPS', 'PPM', 'ICO', 'JPEG2000'])
def test_other_formats_are_rejected(kind):
    assert reason(encoded(noise(32, 32), kind)) == 'not an image (JPEG or PNG)'


def test_an_animated_gif_is_rejected():
    frames = [noise(32, 32, seed) for seed in range(3)]
    data = encoded(frames[0], 'GIF', save_all=True, append_images=frames[1:])
    assert reason(data) == 'not an image (JPEG or PNG)'


def test_too_many_pixels_are_rejected_before_any_is_decoded():
    # There is nothing to decode: a try would be told as damage.
    assert reason(png_without_pixels(64, 64)).startswith('damaged (')
    expected = '12000x12000 is more than 89478485 pixels'
    assert reason(png_without_pixels(12_000, 12_000)) == expected


def test_a_jpeg_of_too_many_pixels_is_rejected_before_any_is_decoded():
    data = bytearray(encoded(noise(64, 64)))
    size = data.index(b'\xff\xc0') + 5
    data[size : size + 4] = struct.pack('>HH', 12_000, 12_000)
    assert reason(bytes(data)) == '12000x12000 is more than 89478485 pixels'


def test_the_cap_itself_is_allowed(monkeypatch):
    monkeypatch.setattr(images, 'MAX_PIXELS', 32 * 16)
    assert prepare_image(encoded(noise(32, 16)), 64, quality=80).width == 32
    assert reason(encoded(noise(33, 16))) == '33x16 is more than 512 pixels'


def test_an_image_of_one_pixel_is_rejected():
    assert reason(encoded(noise(1, 1))) == '1x1: an edge is under 8 pixels'


def test_an_extreme_shape_is_rejected():
    expected = '1x5000, 1x384 when shrunk: an edge is under 8 pixels'
    assert reason(encoded(noise(1, 5000)), max_edge=384) == expected
    expected = '5000x20, 384x2 when shrunk: an edge is under 8 pixels'
    assert reason(encoded(noise(5000, 20), 'PNG'), max_edge=384) == expected


def test_the_reason_is_one_short_line(monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError('first\n' + 'x' * 1000)

    monkeypatch.setattr(images, '_to_rgb', fail)
    assert reason(encoded(noise(16, 16), 'PNG')) == f'damaged (first {"x" * 114})'


def test_an_image_that_does_not_fit_into_memory_is_rejected(monkeypatch):
    def fail(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(images, '_to_rgb', fail)
    assert reason(encoded(noise(16, 16), 'PNG')) == 'does not fit into memory'


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_the_same_bytes_come_out_each_time(kind):
    data = encoded(noise(200, 100), kind)
    assert prepare_image(data, 64, quality=80) == prepare_image(data, 64, quality=80)
