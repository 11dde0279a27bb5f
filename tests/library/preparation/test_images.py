"""Bytes of one image file to an upright RGB JPEG, or the reason why not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin

from library.preparation import images
from library.preparation.images import (
    RejectedImage,
    check_jpeg,
    prepare_image,
    prepare_pixels,
)
from tests.library.preparation.drawn_pictures import (
    RED,
    assert_flat,
    encoded,
    exif_of,
    noise,
    png,
    prepared_pixels,
    reason,
    stored_pixels,
    turned,
)


@pytest.mark.parametrize('size', [(48, 32), (64, 64), (8, 8)])
def test_a_jpeg_that_needs_no_change_is_kept_byte_for_byte(size):
    data = encoded(noise(*size))
    prepared = prepare_image(data, max_edge=64, quality=80)
    assert prepared.jpeg == data
    assert (prepared.width, prepared.height, prepared.reencoded) == (*size, False)


def test_an_upright_jpeg_keeps_its_metadata_byte_for_byte():
    data = encoded(noise(48, 32), exif=exif_of(1), comment=b'by the lake')
    assert prepare_image(data, max_edge=64, quality=80).jpeg == data


def test_the_asked_quality_does_not_touch_a_jpeg_that_fits():
    data = encoded(noise(48, 32), quality=95)
    assert prepare_image(data, max_edge=64, quality=10).jpeg == data


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF', 'WEBP'])
def test_what_is_encoded_anew_carries_nothing_of_its_source_but_pixels(kind):
    options = {'exif': exif_of(6), 'icc_profile': b'no profile', 'comment': 'by the lake'}
    bare = prepare_image(turned(noise(48, 32), kind, 6), 64, quality=80)
    described = prepare_image(encoded(noise(48, 32), kind, **options), 64, quality=80)
    assert described == bare
    stored = Image.open(io.BytesIO(described.jpeg))
    assert not stored.getexif()
    assert set(stored.info) == {'jfif', 'jfif_version', 'jfif_unit', 'jfif_density'}


def test_broken_exif_data_says_nothing_about_the_picture():
    kept = encoded(noise(48, 32), exif=b'Exif\0\0no such thing')
    assert prepare_image(kept, 64, quality=80).jpeg == kept
    data = encoded(Image.new('RGB', (16, 16), RED), 'PNG', exif=b'no such thing')
    assert_flat(prepared_pixels(data), RED)


def test_a_long_comment_does_not_reject_a_png():
    info = PngImagePlugin.PngInfo()
    info.add_text('comment', 'x' * 70_000)
    data = encoded(Image.new('RGB', (16, 16), RED), 'PNG', pnginfo=info)
    assert_flat(prepared_pixels(data), RED)


@pytest.mark.parametrize(
    ('size', 'expected'),
    [((128, 96), (64, 48)), ((96, 128), (48, 64)), ((65, 64), (64, 63)), ((640, 100), (64, 10))],
)
def test_the_longest_edge_is_limited_and_the_shape_is_kept(size, expected):
    prepared = prepare_image(encoded(noise(*size)), max_edge=64, quality=80)
    assert (prepared.width, prepared.height) == expected
    assert prepared.reencoded


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF', 'WEBP', 'GIF', 'BMP'])
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


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF', 'WEBP', 'GIF', 'BMP'])
def test_the_same_bytes_come_out_each_time(kind):
    data = encoded(noise(200, 100), kind)
    assert prepare_image(data, 64, quality=80) == prepare_image(data, 64, quality=80)


def test_an_empty_file_is_rejected():
    assert reason(b'') == 'empty file'


def test_damage_is_never_mended_in_silence():
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize('max_edge', [64, 16])
@pytest.mark.parametrize('options', [{}, {'progressive': True}, {'exif': exif_of(6)}])
def test_a_cut_jpeg_is_rejected(options, max_edge):
    data = encoded(noise(64, 64), **options)
    cut = data[: len(data) * 60 // 100]
    assert reason(cut, max_edge) == 'damaged (image file is truncated: no end mark)'


@pytest.mark.parametrize('max_edge', [64, 16])
@pytest.mark.parametrize('filling', [b'\0', b'Bad gateway. ', b'\xff\xd8'])
def test_a_jpeg_whose_rest_was_never_written_is_rejected(filling, max_edge):
    data = encoded(noise(64, 64))
    filled = data[: len(data) * 60 // 100] + filling * 5000
    assert reason(filled, max_edge) == 'damaged (image file is truncated: no end mark)'


def test_every_cut_of_a_jpeg_is_rejected():
    data = encoded(noise(16, 16))
    for length in range(len(data)):
        assert reason(data[:length])


def test_every_cut_of_a_png_is_rejected():
    data = encoded(noise(16, 16), 'PNG')
    for length in range(len(data) - 4):  # the last sum says nothing of the picture
        assert reason(data[:length])


def test_a_png_with_a_flipped_bit_is_rejected():
    data = bytearray(encoded(noise(64, 64), 'PNG'))
    data[len(data) // 2] ^= 1
    assert reason(bytes(data)).startswith('damaged (')


def test_too_many_pixels_are_rejected_before_any_is_decoded():
    # There is nothing to decode: a try would be told as damage.
    assert reason(png((64, 64), 8, 2, b'')).startswith('damaged (')
    expected = '12000x12000 is more than --max_pixels 89478485'
    assert reason(png((12_000, 12_000), 8, 2, b'')) == expected


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'BMP', 'GIF'])
def test_the_cap_itself_is_allowed(kind):
    allowed = encoded(noise(32, 16), kind)
    assert prepare_image(allowed, 64, quality=80, max_pixels=512).width == 32
    refused = encoded(noise(33, 16), kind)
    assert reason(refused, max_pixels=512) == '33x16 is more than --max_pixels 512'


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


def test_a_stored_jpeg_is_checked_to_its_last_byte():
    data = encoded(noise(64, 64))
    check_jpeg(data)
    with pytest.raises(RejectedImage, match=r'^not a JPEG$'):
        check_jpeg(encoded(noise(64, 64), 'PNG'))
    with pytest.raises(RejectedImage, match=r'^damaged \(image file is truncated'):
        check_jpeg(data[:-2])


def test_pixels_become_the_jpeg_that_their_png_becomes():
    for image in (noise(48, 32), noise(48, 32).convert('L'), noise(200, 100)):
        prepared = prepare_pixels(np.asarray(image), 64, quality=80)
        assert prepared == prepare_image(encoded(image, 'PNG'), 64, quality=80)


def test_pixels_may_be_a_view_in_any_memory_layout():
    planes = np.zeros((3, 16, 32), np.uint8)  # as CIFAR stores them
    planes[2] = 255
    planes.flags.writeable = False
    for view in (planes.transpose(1, 2, 0), planes[::-1].transpose(2, 1, 0)[::2, ::-1]):
        prepared = prepare_pixels(view, 64, quality=80)
        assert (prepared.height, prepared.width) == view.shape[:2]
        assert_flat(stored_pixels(prepared), view[0, 0])


@pytest.mark.parametrize(
    ('pixels', 'expected'),
    [
        (np.zeros((16, 16)), 'pixels of type float64 and shape [16, 16], not uint8'),
        (np.zeros((16, 16, 4), np.uint8), 'pixels of type uint8 and shape [16, 16, 4], not uint8'),
        (np.zeros(768, np.uint8), 'pixels of type uint8 and shape [768], not uint8'),
        (np.zeros((2, 16, 16, 3), np.uint8), 'shape [2, 16, 16, 3], not uint8'),
        (np.zeros((16, 16, 3), np.int8), 'pixels of type int8'),
        (np.zeros((16, 16, 3), '>u2'), 'pixels of type >u2'),
        (np.zeros((0, 16, 3), np.uint8), '16x0: an edge is under 8 pixels'),
        (np.zeros((0, 0), np.uint8), '0x0: an edge is under 8 pixels'),
        (np.zeros((20, 900), np.uint8), '900x20, 64x1 when shrunk: an edge is under 8 pixels'),
        (np.broadcast_to(np.uint8(0), (12_000, 12_000)), '12000x12000 is more than --max_pixels'),
    ],
)  # fmt: skip
def test_pixels_of_another_kind_are_rejected(pixels, expected):
    with pytest.raises(RejectedImage) as caught:
        prepare_pixels(pixels, 64, quality=80)
    assert expected in str(caught.value)
