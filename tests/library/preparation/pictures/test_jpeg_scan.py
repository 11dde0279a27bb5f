"""What the markers of a JPEG tell, and what of it is stored byte for byte."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from library.preparation.images import prepare_image
from library.preparation.pictures.jpeg_scan import scan_jpeg
from tests.library.preparation.drawn_jpegs import behind_start, block_jpeg, segment
from tests.library.preparation.drawn_pictures import (
    ARITHMETIC_JPEG,
    LOSSLESS_JPEG,
    encoded,
    noise,
    patched,
    reason,
    sized_jpeg,
    stored_pixels,
)

HALF = ((2, 2), (1, 1), (1, 1))


def test_the_picture_ends_at_its_mark_whatever_follows():
    data = encoded(noise(48, 32))
    for behind in (b'', bytes(500), data, b'\xff\xd9'):
        assert scan_jpeg(data + behind).end == len(data)


def test_marks_within_a_preview_are_none_of_the_picture():
    data = behind_start(encoded(noise(48, 32)), segment(0xE1, encoded(noise(32, 32))))
    scan = scan_jpeg(data)
    assert (scan.end, scan.is_tidy) == (len(data), True)


@pytest.mark.parametrize('options', [{}, {'progressive': True}, {'restart_marker_rows': 1}])
def test_what_pillow_writes_is_tidy_and_common(options):
    scan = scan_jpeg(encoded(noise(48, 32), **options))
    assert (scan.is_common, scan.is_tidy, scan.is_scalable) == (True, True, True)


def test_lossless_and_arithmetic_ones_are_not_common_and_lossless_ones_cannot_be_scaled():
    lossless, arithmetic = scan_jpeg(LOSSLESS_JPEG), scan_jpeg(ARITHMETIC_JPEG)
    assert (lossless.is_common, lossless.is_scalable) == (False, False)
    assert (arithmetic.is_common, arithmetic.is_scalable) == (False, True)


@pytest.mark.parametrize('max_edge', [16, 15, 8])
def test_a_lossless_jpeg_is_shrunk_to_any_size(max_edge):
    prepared = prepare_image(LOSSLESS_JPEG, max_edge, quality=80)
    assert (prepared.width, prepared.height) == (max_edge, max_edge)
    # Pink blue / sand green.
    corners = stored_pixels(prepared)[[1, 1, -2, -2], [1, -2, 1, -2]]
    assert corners[0, 0] > corners[0, 1]
    assert corners[1, 2] > corners[1, 0]
    assert corners[3, 1] == corners[3].max()


def test_only_what_comes_in_several_scans_is_held_whole():
    image = noise(64, 48)
    blocks = 4 * 12 + 2 * 12  # 16 x 16 pixels: four blocks of grey, one of each colour
    assert scan_jpeg(encoded(image)).held_bytes == 0
    assert scan_jpeg(encoded(image, progressive=True)).held_bytes == 2 * 64 * blocks
    assert scan_jpeg(encoded(image, progressive=True, subsampling=0)).held_bytes == 2 * 64 * 144
    assert scan_jpeg(encoded(image.convert('L'), progressive=True)).held_bytes == 2 * 64 * 48
    apart = block_jpeg(64, 48, HALF, interleaved=False)
    assert scan_jpeg(apart).held_bytes == 2 * 64 * blocks
    assert scan_jpeg(block_jpeg(64, 48, HALF)).held_bytes == 0


def stray_before(jpeg, marker, junk=b'junk'):
    at = jpeg.index(marker)
    return jpeg[:at] + junk + jpeg[at:]


@pytest.mark.parametrize(
    'data',
    [
        stray_before(encoded(noise(48, 32)), b'\xff\xdb'),
        stray_before(encoded(noise(48, 32)), b'\xff\xc0', b'\xff\0\xff\0'),
        stray_before(encoded(noise(48, 32)), b'\xff\xda', b'\0'),
        behind_start(encoded(noise(48, 32)), segment(0xEE, b'Adobe\0\x64\0\0\0\0\2')),
        block_jpeg(48, 32, HALF).replace(b'\0\x3f\0', b'\0\0\0'),
    ],
)
def test_what_libjpeg_warns_of_is_encoded_anew_with_the_same_pixels(data):
    assert not scan_jpeg(data).is_tidy
    anew = prepare_image(data, 64, quality=100)
    assert anew.reencoded
    with Image.open(io.BytesIO(data)) as image:
        difference = np.abs(stored_pixels(anew) - np.asarray(image.convert('RGB')))
    assert difference.mean() < 12  # noise, whose colours are halved twice


def test_fill_bytes_are_no_stray_ones():
    data = stray_before(encoded(noise(48, 32)), b'\xff\xda', b'\xff\xff')
    assert prepare_image(data, 64, quality=80).jpeg == data


def test_missing_restart_marks_are_missing_pixels():
    whole = block_jpeg(64, 48, HALF, interval=2)
    assert prepare_image(whole, 64, quality=80).jpeg == whole
    first, second = whole.index(b'\xff\xd0'), whole.index(b'\xff\xd1')
    assert reason(whole[:first] + whole[second:]) == 'damaged (its restart marks are out of order)'
    assert reason(whole[:second] + b'\xff\xd9') == 'damaged (part of its pixels is missing)'


@pytest.mark.parametrize('options', [{}, {'progressive': True}])
@pytest.mark.parametrize('max_edge', [64, 5000])
def test_a_jpeg_with_fewer_bits_than_blocks_is_rejected(options, max_edge):
    data = encoded(Image.new('RGB', (64, 64), 'red'), **options)
    marker = b'\xff\xc2' if options else b'\xff\xc0'
    larger = patched(data, data.index(marker) + 5, 4000, 4000, pack='>HH')
    Image.open(io.BytesIO(larger)).load()  # Pillow alone would let it pass
    assert reason(larger, max_edge) == 'damaged (part of its pixels is missing)'


def test_a_flat_picture_of_few_bits_is_whole():
    for options in ({}, {'progressive': True}, {'optimize': True}, {'quality': 1}):
        for mode in ('RGB', 'L'):
            data = encoded(Image.new(mode, (1000, 800), 0), **options)
            assert prepare_image(data, 64, quality=80).width == 64


def test_a_broken_frame_is_left_to_the_decoder():
    data = encoded(noise(48, 32))
    at = data.index(b'\xff\xc0')
    for length in (2, 3, 9, 12):
        broken = data[: at + 2] + struct.pack('>H', length) + data[at + 4 :]
        assert reason(broken)
    assert reason(sized_jpeg(48, 0))
