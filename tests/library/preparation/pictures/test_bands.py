"""Bands of TIFFs: which are taken, and which fourth one is doubted."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from library.preparation.formats import open_image
from library.preparation.pictures.bands import is_doubtful
from library.preparation.pictures.picture_options import PictureOptions
from tests.library.preparation.drawn_pictures import (
    WHITE,
    assert_flat,
    encoded,
    prepared_pixels,
    reason,
    tiff,
)

SIZE = (16, 16)
LAND, WATER = (60, 90, 60, 180), (20, 50, 80, 8)


def bands(*numbers, **others):
    return {'pictures': PictureOptions(bands=numbers, **others)}


def flat(*values, depth=8, photometric=2, order='<', apart=False, **tags):
    """A TIFF of one colour with so many bands, mixed by pixel or in planes."""
    kind = f'{order}u{depth // 8}'
    if apart:
        pixels = b''.join(np.full(256, value, kind).tobytes() for value in values)
        size = 256 * depth // 8
        tags |= {'t284': [2], 't279': [size] * len(values)}
        tags['t273'] = [8 + size * number for number in range(len(values))]
    else:
        pixels = np.full((256, len(values)), values, kind).tobytes()
    return tiff(SIZE, [depth] * len(values), photometric, pixels, order, **tags)


@pytest.mark.parametrize('extra', [{'t338': [2]}, {'t338': [1]}, {'t338': [0]}, {}])
@pytest.mark.parametrize('order', '<>')
def test_three_bands_of_four_are_taken_whatever_the_file_says_of_the_fourth(extra, order):
    data = flat(*LAND, order=order, **extra)
    assert_flat(prepared_pixels(data, **bands(1, 2, 3)), LAND[:3])
    assert_flat(prepared_pixels(data, **bands(4, 1, 2)), (180, 60, 90))
    assert_flat(prepared_pixels(data, **bands(4)), (180,) * 3)


def test_without_the_option_the_fourth_band_is_opacity_where_the_file_says_so():
    # 180 / 255 of the colour, and 75 of white.
    assert_flat(prepared_pixels(flat(*LAND, t338=[2])), (117, 138, 117))
    assert_flat(prepared_pixels(flat(*LAND, t338=[0])), LAND[:3])


def test_planes_are_bands_too():
    data = flat(*LAND, t338=[0], apart=True)
    assert_flat(prepared_pixels(data, **bands(4, 3, 2)), (180, 60, 90))


@pytest.mark.parametrize('order', '<>')
def test_bands_of_16_bits_go_by_the_window(order):
    data = flat(1000, 2000, 3000, 4000, depth=16, order=order, t338=[0])
    # Of 4095: 62.3, 124.5, 186.8 and 249.1.
    assert_flat(prepared_pixels(data, **bands(4, 2, 1, white_value='4095')), (249, 125, 62))
    assert_flat(prepared_pixels(data, **bands(3, white_value='4095')), (187,) * 3)
    # Without one all 16 bits count, as for others: 4000 / 257.
    assert_flat(prepared_pixels(data, **bands(4)), (16,) * 3)


def test_grey_with_a_second_band_keeps_its_grey_or_takes_the_other():
    data = flat(90, 180, photometric=1, t338=[2])
    assert_flat(prepared_pixels(data), (138,) * 3)
    assert_flat(prepared_pixels(data, **bands(1)), (90,) * 3)
    assert_flat(prepared_pixels(data, **bands(1, 2, 3)), (90,) * 3)
    assert_flat(prepared_pixels(data, **bands(2)), (180,) * 3)


@pytest.mark.parametrize('photometric', [0, 1])
def test_grey_alone_is_as_it_was(photometric):
    for depth, value in ((8, 90), (16, 257 * 90)):
        data = flat(value, depth=depth, photometric=photometric)
        np.testing.assert_array_equal(
            prepared_pixels(data, **bands(1, 2, 3)), prepared_pixels(data)
        )


def test_a_band_that_is_not_there_is_a_reason():
    assert reason(flat(*LAND, t338=[2]), **bands(5)) == 'has 4 bands, not 5'
    assert reason(flat(*LAND[:3]), **bands(4, 3, 2)) == 'has 3 bands, not 4'
    assert reason(flat(90, photometric=1), **bands(4, 3, 2)) == 'has 1 band, not 4'
    five = flat(*LAND, 7, t338=[0, 0])
    assert_flat(prepared_pixels(five, **bands(4, 3, 2)), (180, 60, 90))
    assert reason(five, **bands(5)) == 'band 5 cannot be read: Pillow reads the first 4'


def test_a_stack_of_many_bands_is_rejected_by_what_it_is():
    stack = flat(*range(13), depth=16, photometric=1, t338=[0] * 12)
    assert reason(stack) == 'cannot be read (TIFF: 13 bands of 16 bits, grey)'
    assert reason(stack, **bands(4, 3, 2)) == reason(stack)


@pytest.mark.parametrize('kind', ['PNG', 'WEBP'])
def test_cut_outs_of_other_formats_stay_on_the_background(kind):
    image = Image.new('RGBA', (32, 16), (200, 10, 20, 255))
    image.paste((0, 0, 0, 0), (0, 0, 16, 16))
    data = encoded(image, kind, **({'lossless': True} if kind == 'WEBP' else {}))
    found = prepared_pixels(data, **bands(1, 2, 3))
    assert_flat(found[:, :14], WHITE)
    assert_flat(found[:, 18:], (200, 10, 20))


def doubted(image, kind='TIFF'):
    opened = open_image(encoded(image, kind), ('PNG', 'TIFF'))
    opened.load()
    return is_doubtful(opened)


def with_opacity(opacity):
    image = Image.new('RGB', (64, 64), LAND[:3])
    image.putalpha(opacity)
    return image


def cut_out(softness):
    """An opaque square whose edge fades over so many pixels."""
    opacity = Image.new('L', (64, 64), 0)
    drawing = ImageDraw.Draw(opacity)
    for step in range(softness + 1):
        box = (8 + step, 8 + step, 56 - step, 56 - step)
        drawing.rectangle(box, fill=255 * (step + 1) // (softness + 1))
    return with_opacity(opacity)


def test_a_band_that_is_hardly_anywhere_0_or_full_is_doubted():
    infrared = Image.new('L', (64, 64), 180)
    infrared.paste(8, (32, 0, 64, 64))
    assert doubted(with_opacity(infrared))
    assert doubted(with_opacity(infrared).convert('LA'))
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    assert doubted(with_opacity(Image.fromarray(noise)))


def test_cut_outs_and_pngs_are_not_doubted():
    assert not any(doubted(cut_out(softness)) for softness in (0, 1, 4))
    assert not doubted(with_opacity(Image.new('L', (64, 64), 255)))
    assert not doubted(with_opacity(Image.new('L', (64, 64), 180)), 'PNG')
    assert not doubted(Image.new('RGB', (64, 64)))
