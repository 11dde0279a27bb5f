"""TensorFlow reads what is stored, and takes the colours of CMYK for the same."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from library.preparation.images import prepare_image
from tests.library.preparation.drawn_jpegs import behind_start, block_jpeg, segment
from tests.library.preparation.drawn_pictures import (
    ARITHMETIC_JPEG,
    LOSSLESS_JPEG,
    encoded,
    noise,
    plain_cmyk_jpeg,
    several,
    stored_pixels,
)

pytestmark = pytest.mark.graph


def decoded(data):
    return tf.io.decode_jpeg(data, channels=3, dct_method='INTEGER_ACCURATE').numpy().astype(int)


def smooth_cmyk():
    """Every ink from none to full, each in a direction of its own."""
    down, along = np.mgrid[0:64, 0:64] * 4
    inks = np.stack([down, along, 255 - down, (down + along) // 4], axis=-1)
    return Image.frombytes('CMYK', (64, 64), inks.astype(np.uint8).tobytes())


def as_ycck(image):
    data = encoded(image)
    marker = data.index(b'Adobe') + 11
    return data[:marker] + b'\2' + data[marker + 1 :]


@pytest.mark.parametrize('write', [encoded, plain_cmyk_jpeg, as_ycck])
def test_cmyk_gets_the_colours_that_tensorflow_gives_it(write):
    data = write(smooth_cmyk())
    difference = np.abs(stored_pixels(prepare_image(data, 64, quality=100)) - decoded(data))
    assert difference.mean() < 1.5
    assert np.percentile(difference, 99) <= 8


@pytest.mark.parametrize(
    'data',
    [
        encoded(noise(48, 32)),
        encoded(noise(48, 32), subsampling=0),
        encoded(noise(48, 32), subsampling=1),
        encoded(noise(48, 32), progressive=True),
        encoded(noise(48, 32), keep_rgb=True),
        encoded(noise(48, 32), restart_marker_rows=1),
        encoded(noise(48, 32)) + bytes(500),
        several('MPO', noise(48, 32), noise(48, 32, 1)),
    ],
)
def test_what_is_kept_looks_the_same_to_tensorflow(data):
    prepared = prepare_image(data, 64, quality=80)
    assert not prepared.reencoded
    np.testing.assert_array_equal(decoded(prepared.jpeg), np.asarray(Image.open(io.BytesIO(data))))
    corner = tf.image.decode_and_crop_jpeg(prepared.jpeg, [8, 8, 16, 16], channels=3)
    assert corner.shape == (16, 16, 3)
    assert tf.io.extract_jpeg_shape(prepared.jpeg).numpy().tolist() == [32, 48, 3]


@pytest.mark.parametrize('interleaved', [True, False])
@pytest.mark.parametrize(
    'factors',
    [
        ((1, 1), (1, 1), (1, 1)),
        ((1, 2), (1, 1), (1, 1)),
        ((2, 2), (1, 2), (1, 2)),
        ((4, 1), (1, 1), (1, 1)),
        ((4, 2), (1, 1), (1, 1)),
        ((2, 2), (2, 1), (1, 1)),
        ((1, 1), (2, 2), (1, 1)),
        ((1, 4), (1, 2), (1, 1)),
        ((3, 1), (1, 1), (3, 1)),
    ],
)
def test_every_layout_of_colours_that_is_kept_looks_the_same_to_tensorflow(factors, interleaved):
    for interval in (0, 1, 3):
        data = block_jpeg(51, 37, factors, interleaved=interleaved, interval=interval)
        prepared = prepare_image(data, 64, quality=80)
        assert prepared.jpeg == data
        expected = np.asarray(Image.open(io.BytesIO(data)))
        np.testing.assert_array_equal(decoded(data), expected)


@pytest.mark.parametrize('transform', range(4))
@pytest.mark.parametrize('jfif', [b'', segment(0xE0, b'JFIF\0\1\1\0\0\1\0\1\0\0')])
def test_colours_that_markers_disagree_about_are_the_same_to_tensorflow(transform, jfif):
    adobe = segment(0xEE, b'Adobe\0\x64\0\0\0\0' + bytes([transform]))
    for source in (encoded(noise(48, 32)), encoded(noise(48, 32), keep_rgb=True)):
        data = behind_start(source, jfif, adobe)
        prepared = prepare_image(data, 64, quality=80)
        assert prepared.reencoded == (transform > 1)
        stored = np.asarray(Image.open(io.BytesIO(prepared.jpeg)))
        np.testing.assert_array_equal(decoded(prepared.jpeg), stored)


def test_tensorflow_says_nothing_about_what_had_stray_bytes(capfd):
    source = encoded(noise(48, 32))
    at = source.index(b'\xff\xdb')
    data = source[:at] + b'stray' + source[at:]
    decoded(data)
    assert 'extraneous bytes' in capfd.readouterr().err
    decoded(prepare_image(data, 64, quality=80).jpeg)
    assert capfd.readouterr().err == ''


@pytest.mark.parametrize('data', [ARITHMETIC_JPEG, LOSSLESS_JPEG])
def test_what_tensorflow_may_refuse_is_stored_so_that_it_does_not(data):
    assert decoded(prepare_image(data, 64, quality=80).jpeg).shape == (16, 16, 3)


def test_tensorflow_refuses_a_jpeg_whose_rest_was_never_written():
    # The reason to look for the end: Pillow alone would let it pass.
    data = encoded(noise(48, 32))
    filled = data[: len(data) * 60 // 100] + bytes(9000)
    Image.open(io.BytesIO(filled)).load()
    with pytest.raises(tf.errors.InvalidArgumentError):
        decoded(filled)
