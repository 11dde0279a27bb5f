"""Which formats are opened, which picture of several is taken, and which JPEGs are kept."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from library.preparation.images import EXTRA_FORMATS, FORMATS, check_jpeg, prepare_image
from tests.library.preparation.drawn_pictures import (
    ARITHMETIC_JPEG,
    BLUE,
    LOSSLESS_JPEG,
    RED,
    TOLERANCE,
    WHITE,
    assert_flat,
    encoded,
    four_corners,
    noise,
    patched,
    plain_cmyk_jpeg,
    png,
    prepared_pixels,
    reason,
    several,
    sized_jpeg,
    tiff,
)
from tests.library.preparation.heic_files import QUARTERS

FLAT = Image.new('RGB', (32, 16), BLUE)
OTHER = Image.new('RGB', (32, 16), RED)


@pytest.mark.parametrize('kind', [kind for kind in FORMATS if kind not in ('JPEG', 'HEIF')])
def test_every_format_becomes_a_jpeg(kind):
    assert_flat(prepared_pixels(encoded(FLAT, kind)), BLUE)


def test_heic_becomes_a_jpeg():
    pixels, drawn = prepared_pixels(QUARTERS), np.asarray(four_corners(32, 32))
    np.testing.assert_allclose(pixels[8::16, 8::16], drawn[8::16, 8::16], atol=TOLERANCE)


@pytest.mark.parametrize('kind', EXTRA_FORMATS)
def test_a_rarer_format_is_opened_only_if_it_is_named(kind):
    data = encoded(FLAT, kind)
    way = f'but {kind} (convert_dataset.py --extra_formats {kind})'
    assert reason(data) == f'not an image (JPEG, PNG, WEBP, BMP, TIFF, GIF, AVIF or HEIF), {way}'
    assert_flat(prepared_pixels(data, formats=(*FORMATS, kind)), BLUE)
    assert_flat(prepared_pixels(data, formats=(kind,)), BLUE)


def test_a_format_that_is_not_named_is_not_opened():
    assert reason(encoded(FLAT, 'TIFF'), formats=('JPEG', 'PNG')) == 'not an image (JPEG or PNG)'
    assert reason(encoded(FLAT), formats=('PNG',)) == 'not an image (PNG)'
    assert reason(encoded(FLAT), formats=()) == 'not an image ()'


@pytest.mark.parametrize('name', ['EPS', 'PDF', 'WMF', 'TGA', 'jpeg', 'MPO'])
def test_a_format_that_might_start_a_program_cannot_be_named(name):
    with pytest.raises(ValueError, match=f'^never opened: {name}$'):
        prepare_image(encoded(FLAT), 64, quality=80, formats=('JPEG', name))


@pytest.mark.parametrize('data', [b'<!DOCTYPE html><title>404</title>', b'\0' * 1000, b'\xff\xd8'])
def test_what_is_no_image_is_rejected(data):
    assert reason(data) == 'not an image (JPEG, PNG, WEBP, BMP, TIFF, GIF, AVIF or HEIF)'
    every = (*FORMATS, *EXTRA_FORMATS)
    expected = 'JPEG, PNG, WEBP, BMP, TIFF, GIF, AVIF, HEIF, JPEG2000, PPM, PCX or SGI'
    assert reason(data, formats=every) == f'not an image ({expected})'


def test_what_starts_like_an_image_is_told_from_what_is_none():
    assert reason(encoded(FLAT, 'GIF')[:20]) == 'cannot be read (GIF: no more images in GIF file)'
    deep = tiff((16, 16), [32] * 3, 2, bytes(3072), t339=[3] * 3)
    assert reason(deep) == 'cannot be read (TIFF: 3 bands of 32 floating-point bits, RGB)'
    # Its height would stand behind the pixels, which no decoder of ours follows.
    assert reason(sized_jpeg(64, 0)) == 'cannot be read (JPEG: not identified by this driver)'


@pytest.mark.parametrize('kind', ['GIF', 'PNG', 'WEBP', 'TIFF', 'AVIF'])
def test_the_first_picture_of_several_is_taken(kind):
    data = several(kind, FLAT, OTHER, FLAT)
    assert_flat(prepared_pixels(data, formats=(*FORMATS, 'AVIF')), BLUE)


def test_a_phones_jpeg_is_kept_without_the_pictures_behind_it():
    data = several('MPO', noise(48, 32), noise(48, 32, 1))
    assert Image.open(io.BytesIO(data)).format == 'MPO'
    prepared = prepare_image(data, 64, quality=80)
    assert not prepared.reencoded
    assert data.startswith(prepared.jpeg)
    assert data[len(prepared.jpeg) :].startswith(b'\xff\xd8\xff')
    check_jpeg(prepared.jpeg)


@pytest.mark.parametrize('behind', [b'\0' * 999, b'a film', encoded(OTHER), b'\xff\xd9', b'\xff'])
def test_what_stands_behind_the_end_of_a_jpeg_is_not_stored(behind):
    data = encoded(noise(48, 32), progressive=True)
    prepared = prepare_image(data + behind, 64, quality=80)
    assert (prepared.jpeg, prepared.reencoded) == (data, False)


@pytest.mark.parametrize(
    'options',
    [
        {'progressive': True},
        {'subsampling': 0},
        {'subsampling': 1},
        {'restart_marker_rows': 1},
        {'keep_rgb': True},
        {'optimize': True},
    ],
)
def test_jpegs_of_every_usual_coding_are_kept_byte_for_byte(options):
    data = encoded(noise(48, 32), **options)
    assert prepare_image(data, 64, quality=80).jpeg == data


@pytest.mark.parametrize('data', [ARITHMETIC_JPEG, LOSSLESS_JPEG])
def test_jpegs_of_a_rare_coding_are_encoded_anew(data):
    pixels = prepared_pixels(data)
    found = [pixels[y, x] for y in (2, 13) for x in (2, 13)]
    corners = [(200, 30, 90), (10, 30, 90), (200, 180, 90), (10, 180, 90)]
    np.testing.assert_allclose(found, corners, atol=12)


def test_grey_and_cmyk_jpegs_are_encoded_anew():
    assert_flat(prepared_pixels(encoded(Image.new('L', (16, 16), 90))), (90, 90, 90))
    assert_flat(prepared_pixels(encoded(OTHER.convert('CMYK'))), RED)
    assert_flat(prepared_pixels(plain_cmyk_jpeg(OTHER.convert('CMYK'))), RED)


def test_a_png_named_jpg_is_encoded_as_the_jpeg_it_claims_to_be():
    # The bytes alone tell; no name is ever asked.
    assert_flat(prepared_pixels(encoded(FLAT, 'PNG')), BLUE)


def test_a_bomb_cannot_hide_behind_a_small_header():
    gif = encoded(FLAT, 'GIF')
    frame = gif.index(b',\0\0\0\0')
    hidden = patched(gif, frame + 5, 60_000, 60_000)
    assert reason(hidden) == '60000x60000 is more than --max_pixels 89478485'
    tile = {'t322': [20_000], 't323': [20_000], 't324': [8], 't325': [64]}
    hidden = tiff((64, 64), [8], 1, bytes(64), **tile)
    expected = '64x64 counts as 133337430 pixels, which is more than --max_pixels 89478485'
    assert reason(hidden) == expected


def test_a_tiff_in_tiles_or_planes_is_put_together():
    tiles = {'t322': [16], 't323': [16], 't324': [8, 264], 't325': [256, 256]}
    pixels = prepared_pixels(tiff((32, 16), [8], 1, bytes([40] * 256 + [200] * 256), **tiles))
    assert_flat(pixels[:, :14], (40, 40, 40))
    assert_flat(pixels[:, 18:], (200, 200, 200))
    planes = {'t284': [2], 't273': [8, 520, 1032], 't279': [512] * 3}
    data = tiff((32, 16), [8] * 3, 2, bytes([0] * 1024 + [255] * 512), **planes)
    assert_flat(prepared_pixels(data), BLUE)


def test_a_tiff_without_all_of_its_strips_is_rejected():
    whole = tiff((16, 16), [8], 1, bytes([90] * 256), t278=[8], t273=[8, 136], t279=[128, 128])
    assert_flat(prepared_pixels(whole), (90, 90, 90))
    half = tiff((16, 16), [8], 1, bytes([90] * 128), t278=[8], t279=[128])
    assert reason(half).startswith('damaged (decoder error')


def test_a_png_of_few_bits_is_read():
    rows = b''.join(b'\0' + bytes([0x00] * 4 + [0xFF] * 4) for _ in range(16))
    pixels = prepared_pixels(png((32, 16), 2, 0, rows))
    assert_flat(pixels[:, :14], (0, 0, 0))
    assert_flat(pixels[:, 18:], WHITE)


RAW = "a camera's raw file: develop it into a JPEG or TIFF first"


@pytest.mark.parametrize('tags', [{50706: b'\1\4\0\0'}, {254: 1, 330: 8}])
def test_the_preview_of_a_cameras_raw_file_is_not_taken_for_its_picture(tags):
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        info[tag] = value
    assert reason(encoded(FLAT, 'TIFF', tiffinfo=info)) == RAW


def test_a_raw_file_is_known_by_its_mark_but_not_by_pixels_that_look_like_it():
    # Pixels may begin with the mark; only a directory right behind it makes a raw file.
    pixels = b'CR\2\0' + bytes(60)
    whole = tiff((8, 8), [8], 1, pixels)
    assert prepared_pixels(whole).shape == (8, 8, 3)
    directory = whole[8 + len(pixels) :]
    assert reason(b'II*\0\x10\0\0\0CR\2\0' + bytes(4) + directory + whole) == RAW


def test_a_reduced_page_alone_is_a_picture():
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[254] = 1
    assert_flat(prepared_pixels(encoded(FLAT, 'TIFF', tiffinfo=info)), BLUE)
