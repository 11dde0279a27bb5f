"""Raw requests to an exported model, against what a conversion would have stored."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageDraw

from library.inputs.decoding import center_window, decode_and_crop, to_bytes
from library.inputs.options import CROP, FITS
from library.inputs.serving import decode_batch
from library.preparation.images import prepare_image
from library.preparation.pictures.picture_options import PictureOptions

MAX_EDGE, QUALITY, SIZE, MAX_PIXELS = 96, 70, 32, 1_000_000


@contextlib.contextmanager
def decoder(fit, center_crop=0.875, **options):
    """Calls decode_batch in a session on a list of images."""
    graph = tf.Graph()
    with graph.as_default():
        fed = tf.compat.v1.placeholder(tf.string, [None])
        pixels = decode_batch(fed, fit, center_crop, SIZE, MAX_EDGE, QUALITY, MAX_PIXELS, **options)
    with contextlib.closing(tf.compat.v1.Session(graph=graph)) as session:
        yield lambda *encoded: session.run(pixels, {fed: list(encoded)})


@pytest.fixture(scope='module')
def decode():
    with decoder(CROP) as decode:
        yield decode


def draw(width, height, mode='RGB'):
    """Fine lines on a slope of colours: what a careless filter would spoil."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    image = Image.fromarray(np.stack([x, y, 255 - x], 2).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for step in range(0, width, 5):
        pen.line((step, 0, width - step, height), fill=(255, 255 - step % 200, step % 255))
    return image.convert(mode)


def encode(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def stored(encoded):
    return prepare_image(encoded, MAX_EDGE, QUALITY).jpeg


@pytest.mark.parametrize(
    'encoded',
    [
        encode(draw(96, 60), 'JPEG'),
        encode(draw(60, 60, 'L'), 'JPEG'),
        encode(draw(60, 96), 'PNG'),
        encode(draw(50, 50, 'L'), 'PNG'),
        encode(draw(50, 50, 'P'), 'PNG'),
    ],
    ids=['jpeg', 'grey jpeg', 'png', 'grey png', 'palette png'],
)
def test_what_needs_no_shrinking_is_as_a_conversion_stores_it(decode, encoded):
    first, second = decode(encoded, stored(encoded))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
@pytest.mark.parametrize('size', [(97, 60), (250, 200), (301, 400), (1000, 800)])
def test_a_larger_image_is_shrunk_nearly_as_a_conversion_does(decode, kind, size):
    encoded = encode(draw(*size), kind)
    ours, exact = decode(encoded, stored(encoded)).astype(float)
    assert np.abs(ours - exact).mean() < 0.2


@pytest.mark.parametrize('center_crop', [1.0, 0.7])
@pytest.mark.parametrize('fit', FITS)
def test_pixels_are_those_of_evaluation_for_every_fit(fit, center_crop):
    images = [draw(96, 40), draw(35, 90), draw(60, 60)]
    jpegs = [stored(encode(image, 'PNG')) for image in images]
    with decoder(fit, center_crop) as decode:
        found = decode(*jpegs, *(encode(image, 'PNG') for image in images))
    for number, encoded in enumerate(jpegs):
        window = center_window(tf.io.extract_jpeg_shape(encoded), center_crop, fit)
        expected = to_bytes(decode_and_crop(tf.constant(encoded), window, SIZE, fit))
        np.testing.assert_array_equal(found[number], expected)
        np.testing.assert_array_equal(found[len(jpegs) + number], expected)


def test_transparency_is_laid_on_white(decode):
    image = draw(64, 64)
    image.putalpha(Image.fromarray(np.tile(np.arange(0, 256, 4, np.uint8), (64, 1))))
    encoded = encode(image, 'PNG')
    first, second = decode(encoded, stored(encoded)).astype(float)
    assert np.abs(first - second).mean() < 0.05
    (clear,) = decode(encode(Image.new('RGBA', (40, 40), (9, 9, 9, 0)), 'PNG'))
    assert (clear == 255).all()


def test_transparency_is_laid_on_the_background_of_the_data_set():
    image, color = draw(64, 64), (10, 200, 30)
    image.putalpha(Image.fromarray(np.tile(np.arange(0, 256, 4, np.uint8), (64, 1))))
    encoded = encode(image, 'PNG')
    pictures = PictureOptions(background=color)
    exact = prepare_image(encoded, MAX_EDGE, QUALITY, pictures=pictures).jpeg
    with decoder(CROP, background=color) as decode:
        first, second = decode(encoded, exact).astype(float)
        (clear,) = decode(encode(Image.new('RGBA', (40, 40), (9, 9, 9, 0)), 'PNG'))
    assert np.abs(first - second).mean() < 0.05
    np.testing.assert_allclose(clear, np.broadcast_to(color, clear.shape), atol=3)


def test_orientation_tags_are_not_read(decode):
    turned = Image.Exif()
    turned[0x0112] = 6
    plain, tagged = decode(encode(draw(60, 40), 'JPEG'), encode(draw(60, 40), 'JPEG', exif=turned))
    np.testing.assert_array_equal(plain, tagged)


@pytest.mark.parametrize('encoded', [b'', b'<html>', encode(draw(60, 40), 'JPEG')[:300]])
def test_what_is_no_image_is_refused(decode, encoded):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode(encoded)


@pytest.mark.parametrize(
    'encoded', [b'', b'GIF89a', encode(draw(9, 9), 'GIF'), encode(draw(9, 9), 'PNG')[:20]]
)
def test_other_formats_are_named_as_such(decode, encoded):
    with pytest.raises(tf.errors.InvalidArgumentError, match='neither a JPEG nor a PNG'):
        decode(encoded)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
def test_an_image_of_too_many_pixels_is_refused_by_its_header(decode, kind):
    most, more = (encode(Image.new('RGB', (1000, n)), kind) for n in (1000, 1001))
    assert decode(most).shape == (1, SIZE, SIZE, 3)
    # Without its pixels: nothing but the header is looked at.
    with pytest.raises(tf.errors.InvalidArgumentError, match='more than 1000000 pixels'):
        decode(more[: len(more) // 2])


def test_the_largest_png_that_can_be_is_refused(decode):
    size = (2**31 - 1).to_bytes(4, 'big')
    forged = encode(draw(9, 9), 'PNG')
    with pytest.raises(tf.errors.InvalidArgumentError, match='more than 1000000 pixels'):
        decode(forged[:16] + size + size + forged[24:])


def test_an_empty_request_is_refused(decode):
    with pytest.raises(tf.errors.InvalidArgumentError, match='image_bytes holds no image'):
        decode()


# PNGs of every kind, written by hand: Pillow and TensorFlow write few of them.

GREY, RGB, PALETTE, GREY_WITH_OPACITY, RGB_WITH_OPACITY = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_WITH_OPACITY: 2, RGB_WITH_OPACITY: 4}
DEPTHS = {
    GREY: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GREY_WITH_OPACITY: (8, 16),
    RGB_WITH_OPACITY: (8, 16),
}


def chunk(kind, data):
    sum_ = struct.pack('>I', zlib.crc32(kind + data))
    return struct.pack('>I', len(data)) + kind + data + sum_


def png(kind, depth, opacity=None, before=b''):
    """Squares of 8 pixels, of every value at random.

    opacity: 'color' makes the first square's colour clear; numbers are those of the palette.
    before: chunks behind the header.
    """
    random = np.random.default_rng(0)
    squares = random.integers(0, 2**depth, [4, 4, CHANNELS[kind]])
    rows = b''
    for row in np.repeat(np.repeat(squares, 8, axis=0), 8, axis=1):
        bits = ''.join(f'{value:0{depth}b}' for value in row.ravel())
        rows += bytes(1) + int(bits, 2).to_bytes(len(bits) // 8, 'big')
    chunks = [chunk(b'IHDR', struct.pack('>IIBBBBB', 32, 32, depth, kind, 0, 0, 0)), before]
    if kind == PALETTE:
        chunks.append(chunk(b'PLTE', random.bytes(3 * 2**depth)))
    if opacity == 'color':
        chunks.append(chunk(b'tRNS', struct.pack(f'>{CHANNELS[kind]}H', *squares[0, 0])))
    elif opacity:
        chunks.append(chunk(b'tRNS', bytes(opacity)))
    chunks += [chunk(b'IDAT', zlib.compress(rows)), chunk(b'IEND', b'')]
    return b'\x89PNG\r\n\x1a\n' + b''.join(chunks)


@pytest.mark.parametrize(
    ('kind', 'depth', 'opacity'),
    [
        *((kind, depth, None) for kind, depths in DEPTHS.items() for depth in depths),
        *((kind, depth, 'color') for kind in (GREY, RGB) for depth in DEPTHS[kind]),
        *((PALETTE, depth, range(0, 256, 255 // (2**depth - 1))) for depth in DEPTHS[PALETTE]),
        # All as opaque as TensorFlow takes a picture for that gives no opacity.
        *((PALETTE, depth, [2**depth - 1] * 2**depth) for depth in (1, 2, 4)),
    ],
)
def test_a_png_of_every_kind_is_decoded_as_a_conversion_does(decode, kind, depth, opacity):
    encoded = png(kind, depth, opacity)
    first, second = decode(encoded, stored(encoded)).astype(int)
    assert np.ptp(first) > 0 or opacity
    # Of 16 bits of grey a conversion rounds to 8 bits, and TensorFlow leaves the others out.
    assert np.abs(first - second).max() <= (2 if (kind, depth) == (GREY, 16) else 0)


def test_opacity_in_a_text_of_a_png_is_none(decode):
    encoded = png(GREY, 4, before=chunk(b'tEXt', b'Title\0tRNS') + chunk(b'tRNs', b''))
    first, second = decode(encoded, stored(encoded))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize('size', [2**31 - 1, 2**31, 2**32 - 12, 2**32 - 1])
def test_a_png_with_a_forged_size_of_a_chunk_is_refused(decode, size):
    forged = struct.pack('>I', size) + b'tEXt'
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode(png(GREY, 4, before=forged))


def test_every_start_of_a_png_is_refused(decode):
    encoded = png(PALETTE, 2, [0, 80, 160, 255])
    for length in range(0, encoded.index(b'IDAT') + 4, 3):
        with pytest.raises(tf.errors.InvalidArgumentError):
            decode(encoded[:length])
