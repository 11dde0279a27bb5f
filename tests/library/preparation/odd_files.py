"""A corpus of bad and odd files, with what has to become of each; the same bytes each time.

What is expected is meant for pictures of at most MAX_EDGE pixels, and for the formats that are
opened unless told else.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tests.library.preparation.drawn_pictures import (
    ARITHMETIC_JPEG,
    LOSSLESS_JPEG,
    encoded,
    exif_of,
    four_corners,
    noise,
    patched,
    plain_cmyk_jpeg,
    png,
    png_chunk,
    several,
    sized_jpeg,
    tiff,
    turned,
)

MAX_EDGE = 64
KINDS = ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF')


def cut_files() -> Iterator[tuple[str, bytes, str]]:
    """Single pictures, cut within their pixels."""
    image = noise(40, 30)
    sources = (
        ('baseline.jpg', encoded(image), 'truncated'),
        ('progressive.jpg', encoded(image, progressive=True), 'truncated'),
        ('turned.jpg', turned(image, 'JPEG', 6), 'truncated'),
        ('plain.png', encoded(image, 'PNG'), 'truncated'),
        ('16 bits.png', encoded(image.convert('I;16'), 'PNG', compress_level=0), 'truncated'),
        ('lossy.webp', encoded(image, 'WEBP'), 'damaged (could not create decoder object)'),
        ('lossless.webp', encoded(image, 'WEBP', lossless=True), 'damaged (could not create'),
        ('animated.webp', several('WEBP', image, noise(40, 30, 1)), 'damaged (could not create'),
        ('plain.bmp', encoded(image, 'BMP'), 'truncated'),
        ('plain.tif', encoded(image, 'TIFF'), 'damaged (decoder error'),
        ('lzw.tif', encoded(image, 'TIFF', compression='tiff_lzw'), 'cannot be read (TIFF'),
        ('plain.gif', encoded(image, 'GIF'), 'truncated'),
    )  # fmt: skip
    for name, data, why in sources:
        for percent in (50, 60, 70, 80, 90, 97):
            yield f'cut at {percent} {name}', data[: len(data) * percent // 100], why
    jpeg, plain = encoded(image), encoded(image, 'PNG')
    half = jpeg[: len(jpeg) // 2]
    yield 'cut and filled with zeros.jpg', half + bytes(9000), 'no end mark'
    yield 'cut and filled with text.jpg', half + b'Bad gateway. ' * 500, 'no end mark'
    yield 'without its last bytes.jpg', jpeg[:-2], 'no end mark'
    yield 'without its last bytes.png', plain[:-12], 'no end mark'
    yield 'cut in its header.jpg', jpeg[:300], 'damaged (Truncated File Read)'
    yield 'cut in its header.png', plain[:20], 'damaged (Truncated File Read)'
    yield 'cut in its header.gif', encoded(image, 'GIF')[:60], 'cannot be read (GIF'


def files_of_other_kinds() -> Iterator[tuple[str, bytes, str]]:
    """What is no picture, or one of a format that nobody named."""
    what_is_not = 'not an image (JPEG, PNG, WEBP, BMP, TIFF, GIF, AVIF or HEIF)'
    starts = {
        'page': b'<!DOCTYPE html><title>404</title>', 'feed': b'<?xml version="1.0"?><rss/>',
        'drawing': b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'text': b'Not found\n',
        'answer': b'{"error": 404}', 'table': b'path,label\na.jpg,cat\n', 'archive': b'PK\3\4',
        'packed': b'\x1f\x8b\x08\0\0\0\0\0', 'document': b'%PDF-1.7\n', 'script': b'#!/bin/sh\n',
        'program': b'\x7fELF\2\1\1', 'windows program': b'MZ\x90\0', 'newline': b'\n',
        'sound': b'RIFF\4\0\0\0WAVEfmt ', 'film': b'\0\0\0\x18ftypmp42',
        'postscript': b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n',
        'metafile': b'\xd7\xcd\xc6\x9a', 'marks only': b'\xff\xd8',
        'one byte': b'\xff', 'spaces': b' ' * 500,
    }  # fmt: skip
    for name, start in starts.items():
        yield f'{name}.jpg', start, what_is_not
        yield f'long {name}.png', start + b' and so on' * 100, what_is_not
    yield 'heic.jpg', b'\0\0\0\x18ftypheic', 'damaged (Invalid input'
    yield 'photoshop.jpg', b'8BPS\0\1', 'a Photoshop document: export it as a PNG or JPEG first'
    for length in (1, 15, 100, 5000):
        yield f'{length} zeros.jpg', bytes(length), what_is_not
    for seed in range(8):
        junk = np.random.default_rng(seed).bytes(100 + 300 * seed)
        yield f'junk {seed}.jpg', junk, what_is_not
    for kind in ('EPS', 'PPM', 'ICO', 'JPEG2000', 'TGA', 'PCX', 'SGI', 'DDS'):
        yield f'{kind} inside.jpg', encoded(noise(32, 32), kind), what_is_not
    for kind in KINDS:
        yield f'{kind} of another mark.jpg', b'\x01' + encoded(noise(32, 32), kind)[1:], what_is_not
    for ending in ('jpg', 'JPEG', 'png', 'webp', 'bmp', 'tif', 'gif'):
        yield f'empty.{ending}', b'', 'empty file'


def misfit_files() -> Iterator[tuple[str, bytes, str]]:
    """Pictures too large, too small, of no known white, or damaged elsewhere than at the end."""
    image, many = noise(64, 48), 'more than --max_pixels 89478485'
    gif, bmp = encoded(image, 'GIF'), encoded(image, 'BMP')
    webp = encoded(image, 'WEBP', lossless=True)
    frame = gif.index(b',\0\0\0\0')
    tile = {'t322': [20_000], 't323': [20_000], 't324': [8], 't325': [64]}
    for name, data in (
        ('bomb.png', png((12_000, 12_000), 8, 2, b'')),
        ('flat bomb.png', png((2**31 - 1, 8), 1, 0, b'')),
        ('bomb.webp', patched(webp, 21, 16_000 | 16_000 << 14, pack='<I')),
        ('bomb.bmp', patched(bmp, 18, 60_000, 60_000, pack='<ii')),
        ('upside-down bomb.bmp', patched(bmp, 18, 60_000, -60_000, pack='<ii')),
        ('bomb.tif', tiff((60_000, 60_000), [8], 1, bytes(64))),
        ('bomb in a tile.tif', tiff((64, 64), [8], 1, bytes(64), **tile)),
        ('bomb by its screen.gif', patched(gif, 6, 60_000, 60_000)),
        ('bomb by its frame.gif', patched(gif, frame + 5, 60_000, 60_000)),
        ('bomb by its place.gif', patched(gif, frame + 1, 60_000, 60_000)),
    ):
        yield name, data, many
    for kind in KINDS:
        for size in ((1, 1), (7, 7), (64, 7), (1, 64), (900, 20)):
            yield f'{size} {kind}.jpg', encoded(noise(*size), kind), 'an edge is under 8 pixels'
    flipped = bytearray(encoded(image, 'PNG'))
    flipped[len(flipped) // 2] ^= 1
    grey = {bits: tiff((16, 16), [bits], 1, bytes(32 * bits)) for bits in (32, 64)}
    for name, data, why in (
        ('whole numbers.tif', grey[32], '32-bit or signed whole numbers'),
        ('signed.tif', tiff((16, 16), [16], 1, bytes(512), t339=[2]), 'signed whole numbers'),
        ('floats.tif', tiff((16, 16), [32], 1, bytes(1024), t339=[3]), '32-bit floating-point'),
        ('three floats.tif', tiff((16, 16), [32] * 3, 2, bytes(3072), t339=[3] * 3),
         'TIFF: 3 bands of 32 floating-point bits, RGB'),
        ('doubles.tif', grey[64], 'cannot be read (TIFF: 1 band of 64 bits, grey)'),
        ('strips are missing.tif', tiff((16, 16), [8], 1, bytes(64), t278=[4]), 'decoder error'),
        ('no pixels.tif', tiff((16, 16), [8], 1, b'', t273=[9999]), 'decoder error'),
        ('no height.jpg', sized_jpeg(64, 0), 'cannot be read (JPEG: not identified'),
        ('12 bits.jpg', encoded(image).replace(b'\xff\xc0\0\x11\x08', b'\xff\xc0\0\x11\x0c'),
         'cannot be read (JPEG: cannot handle 12-bit layers)'),
        ('flipped bit.png', bytes(flipped), 'damaged ('),
        ('no pixels.png', png((16, 16), 8, 2, b''), 'truncated'),
        ('no size.png', png((0, 16), 8, 2, b''), 'cannot be read (PNG'),
        ('wrong sum.png', patched(encoded(image, 'PNG'), 30, 0, pack='B'), 'bad header checksum'),
        ('bomb.jpg', sized_jpeg(12_000, 12_000), 'part of its pixels is missing'),
        ('odd depth.bmp', patched(bmp, 28, 7, pack='<H'), 'cannot be read (Unsupported BMP'),
        ('no frame.gif', gif[: 13 + 768] + b';', 'cannot be read (GIF'),
        ('shorter than told.webp', patched(webp, 4, 10, pack='<I'), 'could not create'),
    ):  # fmt: skip
        yield name, data, why


def turned_files() -> Iterator[tuple[str, bytes, tuple[int, int]]]:
    """Every turn in every format that has one; the pixels lie 48 wide and 32 high."""
    for orientation in range(1, 9):
        size = (48, 32) if orientation > 4 else (32, 48)
        for kind in ('JPEG', 'PNG', 'WEBP', 'TIFF'):
            data = turned(four_corners(48, 32), kind, orientation)
            yield f'turned {orientation} {kind}.jpg', data, size
        data = turned(four_corners(48, 32), 'TIFF', orientation, compression='tiff_lzw')
        yield f'turned {orientation} lzw.tif', data, size
        data = turned(four_corners(480, 320), 'JPEG', orientation)
        yield f'turned {orientation} large.jpg', data, (64, 43) if orientation > 4 else (43, 64)


def moded_files() -> Iterator[tuple[str, bytes, tuple[int, int]]]:
    """Every kind of pixel of every format."""
    image, size = four_corners(48, 32), (32, 48)
    modes = {
        'JPEG': ('L', 'RGB', 'CMYK'),
        'PNG': ('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'I;16'),
        'WEBP': ('L', 'RGB', 'RGBA'),
        'BMP': ('1', 'L', 'P', 'RGB', 'RGBA'),
        'TIFF': ('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'CMYK', 'YCbCr', 'LAB', 'I;16', 'I;16B'),
        'GIF': ('1', 'L', 'P', 'RGB', 'RGBA'),
    }
    for kind in modes:
        for mode in modes[kind]:
            middle = image if mode in ('P', 'LAB', 'CMYK', 'YCbCr') else image.convert('RGBA')
            grey = image.convert('L').convert(mode[:1]) if mode.startswith('I') else None
            pixels = grey.convert('I;16') if grey else middle.convert(mode)
            pixels.info.clear()  # a profile that tells the time of day
            yield f'{mode} of {kind}.png', encoded(pixels, kind), size
    for compression in ('packbits', 'tiff_deflate', 'jpeg'):
        yield f'{compression}.tif', encoded(image, 'TIFF', compression=compression), size
    yield 'fax.tif', encoded(image.convert('1'), 'TIFF', compression='group4'), size
    for depth in (1, 2, 4):
        clear = png_chunk(b'tRNS', b'\0\1')
        yield (
            f'{depth} bits.png',
            png((32, 16), depth, 0, bytes(16 * (1 + 4 * depth)), clear),
            (16, 32),
        )
    for color_type, channels in ((2, 3), (4, 2), (6, 4)):
        rows = bytes(16 * (1 + 32 * 2 * channels))
        yield f'16 bits {color_type}.png', png((32, 16), 16, color_type, rows), (16, 32)
    for order in '<>':
        data = tiff((32, 16), [16] * 3, 2, bytes(16 * 32 * 6), order)
        yield f'16 bits {ord(order)}.tif', data, (16, 32)
    yield 'white is zero.tif', tiff((32, 16), [16], 0, bytes(16 * 32 * 2)), (16, 32)
    yield '12 bits.tif', tiff((32, 16), [12], 1, bytes(16 * 48)), (16, 32)


def unusual_files() -> Iterator[tuple[str, bytes, tuple[int, int]]]:
    """Rare makes of a format, several pictures in a file, and names that tell little or lie."""
    image, size, other = noise(48, 32), (32, 48), noise(48, 32, 1)
    jpeg = encoded(image)
    for name, data in {
        'progressive.jpg': encoded(image, progressive=True),
        'whole colours.jpg': encoded(image, subsampling=0),
        'half colours.jpg': encoded(image, subsampling=1),
        'stored as rgb.jpg': encoded(image, keep_rgb=True),
        'restarts.jpg': encoded(image, restart_marker_rows=1),
        'plain cmyk.jpg': plain_cmyk_jpeg(image.convert('CMYK')),
        'two pictures.jpg': several('MPO', image, other),
        'two pictures, turned.jpg': several(
            'MPO', image.transpose(Image.Transpose.ROTATE_90), other, exif=exif_of(6)
        ),
        'zeros behind.jpg': jpeg + bytes(500),
        'film behind.jpg': jpeg + b'\0\0\0\x18ftypmp42' * 50,
        'picture behind.jpg': jpeg + encoded(other),
        'animated.gif': several('GIF', image, other),
        'animated.png': several('PNG', image, other),
        'animated.webp': several('WEBP', image, other),
        'pages.tif': several('TIFF', image, other),
        'lossless.webp': encoded(image, 'WEBP', lossless=True),
        'interlaced.gif': encoded(image, 'GIF', interlace=1),
        'clear.gif': encoded(image.convert('P'), 'GIF', transparency=3),
        'clear colour.png': encoded(image, 'PNG', transparency=(1, 2, 3)),
        'UPPER CASE.JPG': jpeg,
        'Mixed Case.JpEg': jpeg,
        'png named.jpg': encoded(image, 'PNG'),
        'gif named.jpg': encoded(image, 'GIF'),
        'webp named.jpeg': encoded(image, 'WEBP'),
        'jpeg named.png': jpeg,
        'bmp named.tiff': encoded(image, 'BMP'),
        '  spaces  .jpg': jpeg,
        'ünïcödé 日本 \N{CAT}.jpg': jpeg,
        'dots..and.more.jpg': jpeg,
        '-dash.jpg': jpeg,
        '#50%, "quoted" \'too\' & *.jpg': jpeg,
        'empty.csv.jpg': jpeg,
        f'{"long" * 50}.jpg': jpeg,
    }.items():  # fmt: skip
        yield name, data, size
    for length, stored in ((8, (8, 8)), (64, (8, 64)), (500, (8, 64))):
        yield f'{length} wide.jpg', encoded(noise(length, 8 * length // stored[1])), stored
    yield 'arithmetic.jpg', ARITHMETIC_JPEG, (16, 16)
    yield 'lossless.jpg', LOSSLESS_JPEG, (16, 16)


def write_odd_files(folder: Path) -> tuple[dict[str, str], dict[str, tuple]]:
    """Writes all; gives part of the reason of each bad one, (height, width) of each good one."""
    bad: dict[str, str] = {}
    good: dict[str, tuple] = {}
    for judged, sources in (
        (bad, (cut_files, files_of_other_kinds, misfit_files)),
        (good, (turned_files, moded_files, unusual_files)),
    ):
        for source in sources:
            for name, data, expected in source():
                assert name not in bad | good
                (folder / name).write_bytes(data)
                judged[name] = expected
    return bad, good
