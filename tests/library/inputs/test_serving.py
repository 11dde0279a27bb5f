"""Raw requests to an exported model, against what a conversion would have stored."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageDraw

from library.inputs.serving import decode_batch
from library.preparation.images import prepare_image

MAX_EDGE, QUALITY, SIZE, MAX_PIXELS = 96, 70, 32, 1_000_000


@pytest.fixture(scope='module')
def decode():
    """Calls decode_batch in a session on a list of images."""
    graph = tf.Graph()
    with graph.as_default():
        fed = tf.compat.v1.placeholder(tf.string, [None])
        pixels = decode_batch(fed, 0.875, SIZE, MAX_EDGE, QUALITY, MAX_PIXELS)
    with tf.compat.v1.Session(graph=graph) as session:
        yield lambda *encoded: session.run(pixels, {fed: list(encoded)})


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


def test_transparency_is_laid_on_white(decode):
    image = draw(64, 64)
    image.putalpha(Image.fromarray(np.tile(np.arange(0, 256, 4, np.uint8), (64, 1))))
    encoded = encode(image, 'PNG')
    first, second = decode(encoded, stored(encoded)).astype(float)
    assert np.abs(first - second).mean() < 0.05
    (clear,) = decode(encode(Image.new('RGBA', (40, 40), (9, 9, 9, 0)), 'PNG'))
    assert (clear == 255).all()


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
