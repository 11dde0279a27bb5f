"""Every picture comes out upright, exactly once: all eight tags, in every format that has one."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin, TiffTags

from library.preparation.images import FORMATS, prepare_image
from library.preparation.pictures.changes import TURNED
from tests.library.preparation.drawn_pictures import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    encoded,
    exif_of,
    four_corners,
    png_chunk,
    prepared_pixels,
    several,
    stored_pixels,
    tiff,
    turned,
)

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


def assert_corners(pixels, corners):
    found = [pixels[y, x] for y in (1, -2) for x in (1, -2)]
    np.testing.assert_allclose(found, corners, atol=12)


def file_to_turn(kind, orientation):
    """256 x 128, so that a JPEG is shrunk by its decoder already."""
    image, options = four_corners(256, 128), {}
    if kind == 'MPO':
        return several('MPO', image, Image.new('RGB', (8, 8)), exif=exif_of(orientation))
    if kind == 'PNG, tag last':
        data, end = turned(image, 'PNG', orientation), png_chunk(b'IEND', b'')
        tag = png_chunk(b'eXIf', exif_of(orientation).tobytes()[6:])
        assert data.count(tag) == 1
        return data.replace(tag, b'').replace(end, tag + end)
    if kind == 'TIFF, LZW':
        kind, options = 'TIFF', {'compression': 'tiff_lzw'}
    elif kind == 'TIFF, YCbCr':
        kind, options, image = 'TIFF', {'compression': 'tiff_lzw'}, image.convert('YCbCr')
    elif kind == 'PNG, clear':
        kind, image = 'PNG', image.convert('RGBA')
    return turned(image, kind, orientation, **options)


@pytest.mark.parametrize('max_edge', [256, 32])
@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize(
    'kind',
    ['JPEG', 'MPO', 'PNG', 'PNG, tag last', 'PNG, clear', 'WEBP', 'TIFF', 'TIFF, LZW',
     'TIFF, YCbCr', 'AVIF'],
)  # fmt: skip
def test_every_orientation_comes_out_upright_exactly_once(kind, orientation, max_edge):
    data = file_to_turn(kind, orientation)
    prepared = prepare_image(data, max_edge, quality=80, formats=(*FORMATS, 'AVIF'))
    pixels = stored_pixels(prepared)
    long, short = max_edge, max_edge // 2
    assert pixels.shape == ((long, short, 3) if orientation > 4 else (short, long, 3))
    assert_corners(pixels, UPRIGHT_CORNERS[orientation])
    assert prepared.changes == ((TURNED,) if orientation > 1 else ())
    assert not Image.open(io.BytesIO(prepared.jpeg)).getexif().get(0x112, 1) > 1


@pytest.mark.parametrize('orientation', range(1, 9))
def test_sixteen_bits_of_grey_are_turned_as_well(orientation):
    corners = np.zeros((16, 32), np.uint16)
    corners[:8, 16:], corners[8:, :16], corners[8:, 16:] = 65_535, 25_700, 51_400
    rows, values = corners.astype('>u2').tobytes(), {RED: 0, GREEN: 255, BLUE: 100, WHITE: 200}
    pixels = prepared_pixels(tiff((32, 16), [16], 1, rows, '>', t274=[orientation]))
    assert_corners(pixels, [[values[color]] * 3 for color in UPRIGHT_CORNERS[orientation]])


def test_other_exif_tags_may_be_odd():
    # Tag 6, and a width that claims to be text.
    entries = struct.pack('<HHHII', 2, 0x112, 3, 1, 6) + struct.pack('<HHII', 0x100, 2, 1, 5)
    exif = b'Exif\0\0II*\0\x08\0\0\0' + entries + b'\0\0\0\0'
    pixels = prepared_pixels(encoded(four_corners(64, 32), exif=exif))
    assert_corners(pixels, UPRIGHT_CORNERS[6])


def test_adobes_metadata_turns_no_tiff_as_it_turns_no_other_file():
    # It may tell of a turn that no tag does; Pillow follows it on load, other decoders do not.
    metadata = b'<rdf:Description tiff:Orientation="6"/>'
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[700], tags.tagtype[700] = metadata, TiffTags.BYTE
    data = encoded(four_corners(256, 128), 'TIFF', tiffinfo=tags)
    pixels = prepared_pixels(data)
    assert pixels.shape == (32, 64, 3)
    assert_corners(pixels, UPRIGHT_CORNERS[1])
