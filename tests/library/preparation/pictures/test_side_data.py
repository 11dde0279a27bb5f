"""Whatever stands beside a picture, its pixels are taken; what is wrong within it is not."""

from __future__ import annotations

import functools
import io
import itertools
import random
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from library.preparation.images import RejectedImage, prepare_image
from library.preparation.pictures.side_data import picture_in, without_side_data
from tests.library.preparation.drawn_jpegs import behind_start, segment
from tests.library.preparation.drawn_pictures import (
    assert_flat,
    encoded,
    exif_of,
    four_corners,
    noise,
    patched,
    png,
    png_chunk,
    prepared_pixels,
    reason,
    several,
    stored_pixels,
    turned,
)

IMAGE = four_corners(48, 32)
MB = 1 << 20


def pixels(data):
    with warnings.catch_warnings():
        # What is kept byte for byte keeps its broken metadata.
        warnings.simplefilter('ignore')
        return stored_pixels(prepare_image(data, 64, quality=80))


def assert_as_clean(data, clean):
    np.testing.assert_array_equal(pixels(data), pixels(clean))


def spoiled(content, generator):
    """The bytes with one of the things that happen to them."""
    data = bytearray(content)
    kind = generator.randrange(6)
    if kind == 0:
        return bytes(data[: generator.randrange(len(data) + 1)])
    if kind == 1:
        return bytes(data) + generator.randbytes(generator.randrange(1, 3000))
    if kind == 2:
        return generator.randbytes(len(data))
    if kind == 3:
        return bytes([generator.choice((0, 255))] * len(data))
    for _ in range(generator.randrange(1, 9)):
        data[generator.randrange(len(data))] = generator.randrange(256)
    return bytes(data)


# PNG

CLEAN_PNG = encoded(IMAGE, 'PNG')
BEFORE_PIXELS, BEHIND_PIXELS = 33, len(CLEAN_PNG) - 12
PNG_CHUNKS = {
    b'tEXt': b'Comment\0hello',
    b'zTXt': b'Comment\0\0' + zlib.compress(b'hello'),
    b'iTXt': b'XML:com.adobe.xmp\0\0\0\0\0<x/>',
    b'iCCP': b'icc\0\0' + zlib.compress(b'profile'),
    b'gAMA': struct.pack('>I', 45455),
    b'cHRM': bytes(32),
    b'sRGB': b'\0',
    b'pHYs': bytes(9),
    b'tIME': bytes(7),
    b'eXIf': b'II*\0\x08\0\0\0\0\0\0\0\0\0',
    b'bKGD': bytes(6),
    b'sBIT': b'\x08\x08\x08',
    b'cICP': b'\1\r\0\1',
    b'acTL': struct.pack('>II', 3, 0),
    b'fcTL': struct.pack('>IIIIIHHBB', 0, 48, 32, 0, 0, 1, 10, 0, 0),
    b'fdAT': bytes(20),
    b'prVt': b'private',
}


def with_chunk(chunk, at=BEFORE_PIXELS):
    return CLEAN_PNG[:at] + chunk + CLEAN_PNG[at:]


@pytest.mark.parametrize('at', [BEFORE_PIXELS, BEHIND_PIXELS])
@pytest.mark.parametrize('kind', PNG_CHUNKS)
def test_no_chunk_beside_the_picture_changes_a_png(kind, at):
    generator = random.Random(kind[0] + at)
    for _ in range(25):
        chunk = png_chunk(kind, spoiled(PNG_CHUNKS[kind], generator))
        assert_as_clean(with_chunk(chunk, at), CLEAN_PNG)
        assert_as_clean(with_chunk(chunk[:-4] + b'\0\1\2\3', at), CLEAN_PNG)


@pytest.mark.parametrize(
    'chunk',
    [
        png_chunk(b'tEXt', b'a\0' + b'x' * 2 * MB),
        png_chunk(b'zTXt', b'a\0\0' + zlib.compress(b'x' * 2 * MB)),
        png_chunk(b'iTXt', b'a\0\1\0\0\0' + zlib.compress(b'x' * 2 * MB)),
        png_chunk(b'iCCP', b'a\0\0' + zlib.compress(random.Random(0).randbytes(2 * MB))),
        png_chunk(b'iCCP', b'a\0\0' + zlib.compress(bytes(70 * MB))),
        png_chunk(b'zTXt', b'a\0\0' + zlib.compress(bytes(MB))) * 70,
        png_chunk(b'zTXt', b'a\0\1' + zlib.compress(b'of no known method')),
    ],
)  # fmt: skip
def test_no_amount_of_text_or_profile_rejects_a_png(chunk):
    for at in (BEFORE_PIXELS, BEHIND_PIXELS):
        assert_as_clean(with_chunk(chunk, at), CLEAN_PNG)


@pytest.mark.parametrize('kind', ['tEXt', 'zTXt', 'iTXt'])
@pytest.mark.parametrize('name', ['transparency', 'bbox', 'exif', 'icc_profile', 'interlace'])
def test_a_text_is_no_property_of_a_png(name, kind):
    value = {'tEXt': b'\0abc', 'zTXt': b'\0\0' + zlib.compress(b'abc'), 'iTXt': b'\0\0\0\0\0abc'}
    chunk = png_chunk(kind.encode(), name.encode() + value[kind])
    for at in (BEFORE_PIXELS, BEHIND_PIXELS):
        assert_as_clean(with_chunk(chunk, at), CLEAN_PNG)


def test_the_orientation_stays_wherever_a_png_has_it():
    upright = pixels(encoded(IMAGE.transpose(Image.Transpose.ROTATE_270), 'PNG'))
    tag = exif_of(6).tobytes()
    raw = f'\nexif\n    {len(tag)}\n{tag.hex()}\n'.encode()
    for chunk in (
        png_chunk(b'eXIf', tag.removeprefix(b'Exif\0\0')),
        png_chunk(b'tEXt', b'Raw profile type exif\0' + raw),
        png_chunk(b'zTXt', b'Raw profile type exif\0\0' + zlib.compress(raw)),
    ):
        for at in (BEFORE_PIXELS, BEHIND_PIXELS):
            np.testing.assert_array_equal(pixels(with_chunk(chunk, at)), upright)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP'])
def test_an_orientation_in_xmp_is_ignored_as_other_decoders_do(kind):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6"/></x:xmpmeta>'
    if kind == 'PNG':
        data = with_chunk(png_chunk(b'iTXt', b'XML:com.adobe.xmp\0\0\0\0\0' + xmp))
    else:
        data = encoded(IMAGE, kind, xmp=xmp)
    assert_as_clean(data, encoded(IMAGE, kind))


def test_the_first_picture_of_a_png_is_taken_whatever_its_animation_says():
    whole = several('PNG', IMAGE, noise(48, 32))
    at = whole.index(b'acTL')
    for frames in (0, 1, 2, 9, 2**32 - 1):
        chunk = png_chunk(b'acTL', struct.pack('>II', frames, 0))
        assert_as_clean(whole[: at - 4] + chunk + whole[at + 16 :], CLEAN_PNG)
    at = whole.index(b'fcTL')
    assert_as_clean(whole[: at - 4] + whole[at + 34 :], CLEAN_PNG)


@pytest.mark.parametrize('kind', [b'IHDR', b'PLTE', b'tRNS'])
def test_a_wrong_sum_of_what_makes_the_picture_is_damage(kind):
    palette, clear = png_chunk(b'PLTE', bytes(range(48))), png_chunk(b'tRNS', b'\0\x80')
    rows = bytes(16 * 9)
    data = png((16, 16), 4, 3, rows, palette, clear)
    assert prepare_image(data, 64, quality=80).width == 16
    end = data.index(kind) + 4 + int.from_bytes(data[data.index(kind) - 4 :][:4], 'big')
    assert reason(patched(data, end, 0xDEAD, pack='>H'))


# JPEG

CLEAN_JPEG = encoded(IMAGE)
SEGMENTS = (
    (0xE0, b'JFIF\0\1\1\0\0\1\0\1\0\0'),
    (0xE0, b'JFXX\0\x10' + encoded(noise(16, 8))),
    (0xE1, b'Exif\0\0' + PNG_CHUNKS[b'eXIf']),
    (0xE1, b'http://ns.adobe.com/xap/1.0/\0<x/>'),
    (0xE2, b'ICC_PROFILE\0\1\1profile'),
    (0xE2, b'MPF\0II*\0\x08\0\0\0\0\0'),
    (0xE2, b'FPXR\0a'),
    (0xED, b'Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10' + bytes(16)),
    (0xEE, b'other'),
    (0xFE, b'a comment'),
    (0xF3, b'nobody made such an extension'),
)


@pytest.mark.parametrize(('marker', 'content'), SEGMENTS)
def test_no_segment_beside_the_picture_changes_a_jpeg(marker, content):
    generator = random.Random(marker)
    for _ in range(25):
        data = spoiled(content, generator)[:65_000]
        assert_as_clean(behind_start(CLEAN_JPEG, segment(marker, data)), CLEAN_JPEG)


@pytest.mark.parametrize(('marker', 'content'), SEGMENTS)
def test_no_segment_is_too_short_for_a_jpeg(marker, content):
    for length in range(min(len(content), 16)):
        assert_as_clean(behind_start(CLEAN_JPEG, segment(marker, content[:length])), CLEAN_JPEG)
    for stated in (0, 1):
        broken = bytes([0xFF, marker, 0, stated])
        if marker < 0xF0:
            assert_as_clean(behind_start(CLEAN_JPEG, broken), CLEAN_JPEG)


def test_a_jpeg_keeps_its_orientation_where_other_segments_are_broken():
    data = behind_start(turned(IMAGE, 'JPEG', 6), segment(0xE0, b'JFIF\0'))
    with pytest.raises(Exception, match='buffer'):
        Image.open(io.BytesIO(data))
    prepared = prepare_image(data, 64, quality=80)
    assert (prepared.width, prepared.height) == (32, 48)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_blanks_before_a_picture_are_cut_off_and_other_bytes_are_named(kind):
    clean = encoded(IMAGE, kind)
    for blanks in (b'\n', b'\r\n\r\n', bytes(100), b' \t'):
        assert prepare_image(blanks + clean, 64, quality=80) == prepare_image(clean, 64, quality=80)
    expected = f'a {kind} behind 3 other bytes' if kind == 'JPEG' else 'not an image'
    assert expected in reason(b'\xef\xbb\xbf' + clean)


# WebP, TIFF, GIF, BMP


def webp_chunks(data):
    position = 12
    while position < len(data):
        length = int.from_bytes(data[position + 4 : position + 8], 'little')
        yield data[position : position + 4], data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2


def webp(chunks):
    body = b'WEBP'
    for kind, content in chunks:
        body += kind + struct.pack('<I', len(content)) + content + b'\0' * (len(content) % 2)
    return b'RIFF' + struct.pack('<I', len(body)) + body


@pytest.mark.parametrize('lossless', [False, True])
def test_no_chunk_beside_the_picture_changes_a_webp(lossless):
    write = functools.partial(encoded, IMAGE, 'WEBP', lossless=lossless)
    clean = write()
    data = write(exif=PNG_CHUNKS[b'eXIf'], icc_profile=b'profile', xmp=b'<x/>')
    header, *others = webp_chunks(data)
    generator = random.Random(0)
    for place, (kind, content) in enumerate(others):
        if kind in (b'ICCP', b'EXIF', b'XMP '):
            for _ in range(25):
                chunk = (kind, spoiled(content, generator))
                there = [*others[:place], chunk, *others[place + 1 :]]
                without = [*others[:place], *others[place + 1 :]]
                for chunks in (there, [*without, chunk], without, [*there, chunk]):
                    assert_as_clean(webp([header, *chunks]), clean)
    for flags in range(256):
        if not flags & 2:  # that of an animation
            changed = (header[0], bytes([flags]) + header[1][1:])
            assert_as_clean(webp([changed, *others]), clean)
    for cut in (1, 3, 9):
        assert_as_clean(data[:-cut], clean)


@pytest.mark.parametrize('compression', [None, 'tiff_lzw', 'jpeg', 'tiff_adobe_deflate'])
def test_no_tag_beside_the_picture_changes_a_tiff(compression):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in {270: 'text', 305: 'soft', 282: 72.0, 306: '2020', 33723: b'iptc'}.items():
        tags[tag] = value
    options = {'compression': compression} if compression else {}
    clean = encoded(IMAGE, 'TIFF', **options)
    data = encoded(IMAGE, 'TIFF', tiffinfo=tags, icc_profile=b'profile', **options)
    (start,) = struct.unpack_from('<I', data, 4)
    (count,) = struct.unpack_from('<H', data, start)
    places = range(start + 2, start + 2 + 12 * count, 12)
    sides = {270, 305, 282, 306, 33723, 34675}
    entries = [at for at in places if struct.unpack_from('<H', data, at)[0] in sides]
    assert len(entries) == len(sides)
    generator = random.Random(0)
    for at in entries:
        for kind, values in itertools.product((0, 1, 2, 5, 12, 13, 99), (0, 1, 10**5, 2**32 - 1)):
            assert_as_clean(patched(data, at + 2, kind, values, pack='<HI'), clean)
        for value in (0, 8, len(data) - 1, len(data) + 99, 2**32 - 1):
            assert_as_clean(patched(data, at + 8, value, pack='<I'), clean)
        for _ in range(10):
            assert_as_clean(data[: at + 2] + generator.randbytes(10) + data[at + 12 :], clean)
    for following in (1, start, len(data), 2**32 - 1):
        assert_as_clean(patched(data, places.stop, following, pack='<I'), clean)


@pytest.mark.parametrize('code', [0x01, 0x99, 0xF9, 0xFE, 0xFF])
@pytest.mark.parametrize('blocks', [b'', b'\1a', b'\x0bNETSCAPE2.0', b'\xff' + bytes(255)])
def test_no_extension_changes_a_gif(code, blocks):
    clean = encoded(IMAGE.quantize(8), 'GIF')
    at = 13 + (3 << (clean[10] & 7) + 1)
    extension = bytes([0x21, code]) + blocks + b'\0'
    for data in (
        clean[:at] + extension + clean[at:],
        clean[:at] + 2 * extension + clean[at:],
        clean[:-1] + extension + clean[-1:],
    ):
        assert_as_clean(data, clean)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF'])
def test_bytes_behind_a_picture_are_none_of_its_business(kind):
    clean = encoded(IMAGE, kind)
    for behind in (b'\0', b'junk' * 100, clean, png_chunk(b'tEXt', b'transparency\0x')):
        assert_as_clean(clean + behind, clean)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'TIFF', 'GIF', 'BMP'])
def test_a_cut_file_is_taken_only_where_the_picture_is_whole(kind):
    data = encoded(noise(48, 32), kind, exif=exif_of(6), icc_profile=bytes(500), comment=b'hello')
    whole, refused = pixels(data), 0
    for percent in range(2, 100, 2):
        try:
            found = pixels(data[: len(data) * percent // 100])
        except RejectedImage:
            refused += 1
            continue
        np.testing.assert_array_equal(found, whole)
    assert refused >= 30


def test_no_cut_and_no_noise_is_too_odd_to_look_for_side_data():
    generator = random.Random(0)
    for kind in ('JPEG', 'PNG', 'WEBP', 'TIFF', 'GIF', 'BMP'):
        data = encoded(noise(16, 8), kind, exif=exif_of(6), icc_profile=bytes(9), comment=b'hello')
        for length in range(len(data)):
            starts = data[:length], data[: min(length, 16)] + generator.randbytes(60)
            for start in starts:
                found = picture_in(start)
                assert len(found) <= len(start)
                for rest in without_side_data(found):
                    assert len(rest) <= len(found) + 64


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'TIFF', 'GIF', 'BMP'])
def test_a_file_without_side_data_is_tried_once(kind):
    options = {'tiffinfo': {}} if kind == 'TIFF' else {}
    data = encoded(noise(16, 8), kind, **options)
    assert list(without_side_data(data)) == []


def test_a_border_that_an_animation_leaves_free_is_laid_on_the_background():
    clear = Image.new('RGBA', (48, 32))
    clear.paste((0, 0, 255, 255), (12, 8, 36, 24))
    full = Image.new('RGBA', (48, 32), (255, 0, 0, 255))
    data = several('WEBP', clear, full, lossless=True)
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.mode == 'RGB'  # the flag of opacity is off
    found = prepared_pixels(data)
    assert found[:4, :8].min() > 245
    assert_flat(found[14:18, 20:28], (0, 0, 255))
    np.testing.assert_array_equal(found, prepared_pixels(encoded(clear, 'WEBP', lossless=True)))


def test_a_long_profile_reaches_whoever_reads_colours():
    assert PngImagePlugin.MAX_TEXT_CHUNK == 16 * MB
