"""What an image counts for, and that this is what decoding it takes."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from library.preparation.images import prepare_image
from library.preparation.pictures.background import AT_ONCE, lay_on
from tests.library.preparation.drawn_jpegs import block_jpeg
from tests.library.preparation.drawn_pictures import (
    LOSSLESS_JPEG,
    encoded,
    noise,
    png,
    reason,
    several,
    tiff,
    turned,
)

IMAGE, PIXELS = noise(48, 32), 48 * 32
MB = 1_000_000


def counted(data, max_edge=64, **options):
    """The least --max_pixels that takes it; the error line names it."""
    found = reason(data, max_edge, max_pixels=64, **options)
    size = found.split()[0]
    if 'counts as' not in found:
        assert found == f'{size} is more than --max_pixels 64'
        width, height = size.split('x')
        least = int(width) * int(height)
    else:
        least = int(found.split(' counts as ')[1].split()[0])
        assert found == (f'{size} counts as {least} pixels, which is more than --max_pixels 64')
    assert reason(data, max_edge, max_pixels=least - 1, **options).endswith(f' {least - 1}')
    prepare_image(data, max_edge, quality=80, max_pixels=least, **options)
    return least


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'BMP', 'GIF'])
@pytest.mark.parametrize('mode', ['RGB', 'L', 'P', '1'])
def test_a_plain_picture_counts_its_pixels(kind, mode):
    if kind == 'JPEG' and mode in 'P1':
        mode = 'L'
    assert counted(encoded(IMAGE.convert(mode), kind)) == PIXELS


def test_more_than_rgb_of_8_bits_counts_for_more():
    opaque = IMAGE.convert('RGBA')
    opaque.putalpha(128)
    assert counted(encoded(opaque, 'PNG')) == PIXELS * 5 // 3
    assert counted(encoded(IMAGE, 'PNG', transparency=(1, 2, 3))) == PIXELS * 5 // 3
    deep = {
        kind: bytes(32 * (1 + 48 * 2 * channels)) for kind, channels in ((0, 1), (2, 3), (6, 4))
    }
    assert counted(png((48, 32), 16, 0, deep[0])) == PIXELS * 2
    assert counted(png((48, 32), 16, 2, deep[2])) == PIXELS * 2
    assert counted(png((48, 32), 16, 6, deep[6])) == PIXELS * 10 // 3
    assert counted(tiff((48, 32), [16] * 3, 2, bytes(PIXELS * 6))) == PIXELS * 2
    assert counted(encoded(IMAGE.convert('CMYK'))) == PIXELS * 7 // 3
    assert counted(encoded(IMAGE, 'WEBP')) == PIXELS * 10 // 3
    assert counted(encoded(IMAGE, 'AVIF'), formats=('AVIF',)) == PIXELS * 5 // 3
    assert counted(encoded(IMAGE, 'JPEG2000'), formats=('JPEG2000',)) == PIXELS * 4


def test_a_tiff_counts_what_is_decoded_at_once_and_its_turn():
    assert counted(encoded(IMAGE, 'TIFF')) == PIXELS
    whole = encoded(IMAGE, 'TIFF', compression='tiff_lzw', tiffinfo={278: 32})
    assert counted(whole) == PIXELS * 2
    assert counted(turned(IMAGE, 'TIFF', 6)) == PIXELS * 7 // 3
    tile = {'t322': [1600], 't323': [16], 't324': [8, 8], 't325': [25_600] * 2}
    data = tiff((48, 32), [8], 1, bytes(25_600), **tile)
    assert counted(data) == -(-(PIXELS * 3 + 25_600) // 3)


def test_a_jpeg_counts_by_the_size_at_which_it_is_decoded():
    data = encoded(noise(800, 640))
    assert counted(data, max_edge=800) == 800 * 640
    assert reason(data, 401, max_pixels=64) == '800x640 is more than --max_pixels 64'
    assert counted(data, max_edge=400) == 400 * 320
    assert counted(data, max_edge=200) == 200 * 160
    assert counted(data, max_edge=100) == 100 * 80
    assert counted(data, max_edge=20) == 100 * 80
    with_turn = turned(noise(800, 640), 'JPEG', 6)
    assert counted(with_turn, max_edge=100) == 100 * 80


def test_a_lossless_jpeg_counts_whole():
    assert counted(LOSSLESS_JPEG, max_edge=8) == 16 * 16


def test_a_jpeg_in_several_scans_counts_its_coefficients():
    large = noise(800, 640)
    whole, fourth = 800 * 640, 800 * 640 // 4
    assert counted(encoded(large, progressive=True, subsampling=0), 400) == 2 * whole + fourth
    assert counted(encoded(large, progressive=True), 400) == whole + fourth
    grey = encoded(large.convert('L'), progressive=True)
    assert counted(grey, 400) == -(-2 * whole // 3) + fourth
    apart = block_jpeg(96, 64, ((2, 2), (1, 1), (1, 1)), interleaved=False)
    assert counted(apart, 96) == 2 * 96 * 64


def test_an_animation_counts_one_picture():
    assert counted(several('GIF', IMAGE, noise(48, 32, 1))) == PIXELS


@pytest.mark.parametrize('mode', ['RGBA', 'LA', 'P', 'RGB'])
def test_a_background_laid_in_parts_is_that_of_the_whole(mode, monkeypatch):
    image = noise(50, 40).convert('RGBA')
    image.putalpha(
        Image.fromarray(np.arange(2000, dtype=np.uint16).astype(np.uint8).reshape(40, 50))
    )
    image = image.convert(mode)
    if mode in ('P', 'RGB'):
        image.info['transparency'] = 3 if mode == 'P' else image.getpixel((5, 5))
    white = Image.new('RGBA', image.size, (255, 255, 255, 255))
    whole = Image.alpha_composite(white, image.convert('RGBA')).convert('RGB')
    for at_once in (1, 50, 199, 5000, AT_ONCE):
        monkeypatch.setattr('library.preparation.pictures.background.AT_ONCE', at_once)
        parts, _ = lay_on(image, (255, 255, 255))
        np.testing.assert_array_equal(np.asarray(parts), np.asarray(whole))


# Prints, for each file, the bytes that it took at most while it was prepared.
PEAKS = """
import sys
import numpy  # some pictures need it, which is no part of decoding
from library.preparation.images import prepare_image

def memory(kind):
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith(kind)) * 1024

for path in sys.argv[2:]:
    with open(path, 'rb') as file:
        data = file.read()
    before = memory('VmRSS')
    with open('/proc/self/clear_refs', 'w') as peak:
        peak.write('5')
    formats = ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF', 'AVIF', 'JPEG2000')
    prepare_image(data, 384, 80, formats, max_pixels=int(sys.argv[1]))
    print(memory('VmHWM') - before)
"""


def peaks_of(contents, folder, max_pixels):
    """The bytes that each file takes in a process of its own, beside the file."""
    paths = [folder / str(number) for number in range(len(contents))]
    for path, data in zip(paths, contents, strict=True):
        path.write_bytes(data)
    command = [sys.executable, '-c', PEAKS, str(max_pixels), *map(str, paths)]
    # What one file took is given back before the next one is measured.
    env = {**os.environ, 'MALLOC_MMAP_THRESHOLD_': '65536'}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=env)
    return [int(line) for line in done.stdout.split()]


def smooth(width, height, mode='RGB'):
    channel = Image.linear_gradient('L').resize((width, height))
    return Image.merge(mode, [channel] * len(mode)) if len(mode) > 1 else channel.convert(mode)


def large_files():
    """Images that count for nearly 9 million pixels, of each kind."""
    one_strip = {'compression': 'tiff_lzw', 'tiffinfo': {278: 2100}}
    return {
        'grey PNG': encoded(smooth(3000, 3000, 'L'), 'PNG'),
        'palette PNG': encoded(smooth(3000, 3000, 'P'), 'PNG'),
        'RGB PNG': encoded(smooth(3000, 3000), 'PNG', compress_level=1),
        'RGBA PNG': encoded(smooth(2320, 2320, 'RGBA'), 'PNG', compress_level=1),
        '16-bit PNG': encoded(smooth(2120, 2120, 'L').convert('I;16'), 'PNG'),
        'progressive JPEG': encoded(smooth(2880, 2880), progressive=True),
        'progressive 4:4:4': encoded(smooth(2080, 2080), progressive=True, subsampling=0),
        'CMYK JPEG': encoded(smooth(3000, 3000, 'CMYK')),
        'LZW in one strip': encoded(smooth(2100, 2100), 'TIFF', **one_strip),
        'turned TIFF': turned(smooth(1950, 1950), 'TIFF', 6),
        'GIF': encoded(smooth(3000, 3000), 'GIF'),
        'BMP': encoded(smooth(3000, 3000), 'BMP'),
        'WebP': encoded(smooth(1640, 1640), 'WEBP', method=0),
        'WebP with opacity': encoded(smooth(1640, 1640, 'RGBA'), 'WEBP', method=0),
        'AVIF': encoded(smooth(2320, 2320), 'AVIF', speed=10),
        'JPEG 2000': encoded(smooth(1500, 1500), 'JPEG2000'),
    }


@pytest.mark.process  # it decodes the largest of 20 kinds, in processes of their own
@pytest.mark.skipif(not os.path.exists('/proc/self/clear_refs'), reason='of Linux alone')
def test_no_image_takes_more_than_twice_what_it_may_count_for(tmp_path):
    kinds = large_files()
    found = dict(zip(kinds, peaks_of(list(kinds.values()), tmp_path, 9 * MB), strict=True))
    allowed = 2 * 3 * 9 * MB
    assert {kind: peak for kind, peak in found.items() if peak > allowed} == {}
    # What is measured is the decoding: RGB is held in 4 bytes a pixel.
    assert found['RGB PNG'] > 4 * 9 * MB * 0.9


@pytest.mark.skipif(not os.path.exists('/proc/self/clear_refs'), reason='of Linux alone')
def test_a_large_photo_takes_little_where_it_is_shrunk(tmp_path):
    data = encoded(smooth(6000, 5000), quality=70)
    (peak,) = peaks_of([data], tmp_path, 9 * MB)
    assert peak < 15 * MB
    assert reason(data, 5000, max_pixels=9 * MB) == '6000x5000 is more than --max_pixels 9000000'
