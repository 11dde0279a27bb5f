"""Colours: what profiles and numbers say becomes sRGB, and what is sRGB stays as it is."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from library.preparation.images import prepare_image
from library.preparation.pictures.changes import BROKEN_PROFILE, ON_BACKGROUND, RECOLORED
from library.preparation.pictures.picture_options import PictureOptions
from tests.conftest import ROOT
from tests.library.preparation.drawn_pictures import (
    assert_flat,
    encoded,
    noise,
    png,
    png_chunk,
    stored_pixels,
)
from tests.library.preparation.pictures.profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    GAMMA,
    PROPHOTO,
    SRGB,
    TO_SRGB,
    as_srgb,
    cmyk_profile,
    converted,
    grey_profile,
    lab_as_srgb,
    rgb_profile,
    srgb_curve,
)

pytestmark = pytest.mark.unit

MANAGED = PictureOptions()
SIZE = (32, 24)
# Within what sRGB can show, and far enough from grey for another reading to be seen.
COLORS = [(200, 80, 60), (70, 150, 90), (60, 80, 180), (128, 128, 128), (255, 255, 255), (0, 0, 0)]
P3 = rgb_profile(DISPLAY_P3, None)


def prepared(data, pictures=MANAGED, max_edge=64):
    return prepare_image(data, max_edge, quality=95, pictures=pictures)


def flat(color, kind='PNG', mode='RGB', **options):
    return encoded(Image.new(mode, SIZE, color), kind, **options)


def power(exponent):
    return lambda codes: np.asarray(codes) ** exponent


@pytest.mark.parametrize('color', COLORS)
def test_display_p3_becomes_srgb(color):
    image = prepared(flat(color, icc_profile=P3))
    assert image.changes == (RECOLORED,)
    assert_flat(stored_pixels(image), converted(color, 'P3', srgb_curve))


@pytest.mark.parametrize('color', COLORS)
def test_adobe_rgb_becomes_srgb(color):
    image = prepared(flat(color, icc_profile=rgb_profile(ADOBE_RGB, GAMMA)))
    assert_flat(stored_pixels(image), converted(color, 'Adobe', power(GAMMA)))


@pytest.mark.parametrize('color', [(150, 120, 100), (120, 140, 120), (110, 110, 130), (90, 90, 90)])
def test_prophoto_becomes_srgb(color):
    image = prepared(flat(color, icc_profile=rgb_profile(PROPHOTO, 1.8)))
    xyz = np.transpose(PROPHOTO) @ power(1.8)(np.array(color) / 255)
    assert_flat(stored_pixels(image), as_srgb(np.asarray(TO_SRGB['XYZ']) @ xyz))


@pytest.mark.parametrize('grey', [0, 20, 60, 128, 200, 255])
def test_grey_of_another_curve_becomes_that_of_srgb(grey):
    image = prepared(flat(grey, mode='L', icc_profile=grey_profile(1.8)))
    assert image.changes == (RECOLORED,)
    assert_flat(stored_pixels(image), as_srgb(np.full(3, (grey / 255) ** 1.8)))


def lab_of(cyan, magenta, yellow, black):
    """Made-up inks; black covers all others."""
    if black:
        return (0, 0, 0)
    return (
        100 - 30 * (cyan + magenta) - 10 * yellow,
        35 * (magenta - cyan),
        40 * yellow - 20 * cyan,
    )


@pytest.mark.parametrize(
    'inks', [(0, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (1, 1, 0, 0), (0, 1, 1, 0), (0, 0, 0, 1)]
)
def test_inks_are_read_by_their_profile(inks):
    color = tuple(255 * ink for ink in inks)
    image = prepared(flat(color, 'TIFF', 'CMYK', icc_profile=cmyk_profile(lab_of)))
    assert image.changes == (RECOLORED,)
    assert_flat(stored_pixels(image), lab_as_srgb(*lab_of(*inks)))


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF', 'WEBP', 'AVIF'])
@pytest.mark.parametrize('max_edge', [64, 16])
def test_profiles_of_all_formats_count_whether_the_image_shrinks_or_not(kind, max_edge):
    color = (200, 80, 60)
    options = {'quality': 95} if kind != 'TIFF' else {}
    image = prepared(flat(color, kind, icc_profile=P3, **options), max_edge=max_edge)
    assert (image.changes, image.reencoded) == ((RECOLORED,), True)
    assert image.width == min(32, max_edge)
    expected = np.broadcast_to(converted(color, 'P3', srgb_curve), (image.height, image.width, 3))
    np.testing.assert_allclose(stored_pixels(image), expected, atol=5)
    assert 'icc_profile' not in Image.open(io.BytesIO(image.jpeg)).info


@pytest.mark.parametrize('name', ['sRGB', 'A monitor'])
def test_a_jpeg_whose_profile_is_srgb_by_its_content_is_kept_byte_for_byte(name):
    data = encoded(noise(*SIZE), icc_profile=rgb_profile(SRGB, None, name))
    assert prepared(data).jpeg == data
    assert prepared(data).changes == ()


def test_a_profile_that_only_calls_itself_srgb_is_followed():
    data = flat((200, 80, 60), icc_profile=rgb_profile(DISPLAY_P3, None, 'sRGB'))
    assert prepared(data).changes == (RECOLORED,)


@pytest.mark.parametrize(
    'profile',
    [
        b'no profile',
        P3[:200],
        bytes(len(P3)),
        grey_profile(1.8),
        cmyk_profile(lab_of),
        P3.replace(b'mntr', b'link'),
    ],
)
def test_a_profile_that_is_broken_or_of_other_pixels_is_ignored_and_told(profile):
    data = encoded(noise(*SIZE), icc_profile=profile)
    image = prepared(data)
    assert (image.jpeg, image.changes) == (data, (BROKEN_PROFILE,))


def test_colours_are_kept_if_asked_for():
    data = encoded(noise(*SIZE), icc_profile=P3)
    assert prepared(data).jpeg != data
    image = prepared(data, PictureOptions(keep_colors=True))
    assert (image.jpeg, image.changes) == (data, ())


def test_the_background_is_given_in_srgb_and_not_converted():
    drawn = Image.new('RGBA', SIZE, (200, 80, 60, 255))
    drawn.paste((0, 0, 0, 0), (16, 0, 32, 24))
    pictures = PictureOptions(background=(30, 200, 40))
    image = prepared(encoded(drawn, 'PNG', icc_profile=P3), pictures)
    assert image.changes == (RECOLORED, ON_BACKGROUND)
    pixels = stored_pixels(image)
    assert_flat(pixels[:, :8], converted((200, 80, 60), 'P3', srgb_curve))
    assert_flat(pixels[:, 24:], (30, 200, 40))


def test_an_opaque_picture_with_an_alpha_channel_is_laid_on_nothing():
    assert prepared(flat((1, 2, 3, 255), mode='RGBA')).changes == ()


def test_a_palette_is_read_by_its_profile():
    drawn = Image.new('RGB', SIZE, (200, 80, 60)).quantize(4)
    image = prepared(encoded(drawn, 'PNG', icc_profile=P3))
    assert_flat(stored_pixels(image), converted((200, 80, 60), 'P3', srgb_curve))


def numbered_png(color, primaries, transfer, *chunks):
    rows = (b'\0' + bytes(color) * SIZE[0]) * SIZE[1]
    numbers = png_chunk(b'cICP', bytes([primaries, transfer, 0, 1]))
    return png(SIZE, 8, 2, rows, *chunks, numbers)


@pytest.mark.parametrize(('primaries', 'space'), [(12, 'P3'), (9, 'BT.2020')])
@pytest.mark.parametrize('color', COLORS)
def test_numbers_of_a_png_name_its_colours(primaries, space, color):
    image = prepared(numbered_png(color, primaries, 13))
    assert image.changes == (RECOLORED,)
    assert_flat(stored_pixels(image), converted(color, space, srgb_curve))


@pytest.mark.parametrize(('transfer', 'exponent'), [(4, 2.2), (5, 2.8), (8, 1.0)])
def test_numbers_name_powers(transfer, exponent):
    image = prepared(numbered_png((128, 60, 200), 1, transfer))
    light = (np.array((128, 60, 200)) / 255) ** exponent
    assert_flat(stored_pixels(image), as_srgb(light))


@pytest.mark.parametrize(('primaries', 'transfer'), [(1, 13), (1, 1), (2, 2), (1, 6), (200, 0)])
def test_numbers_of_srgb_and_unknown_ones_change_nothing(primaries, transfer):
    image = prepared(numbered_png((200, 80, 60), primaries, transfer))
    assert image.changes == ()
    assert_flat(stored_pixels(image), (200, 80, 60))


def test_numbers_of_a_png_count_more_than_its_profile():
    # A zlib stream behind a name and the number of its compression.
    import zlib

    chunk = png_chunk(b'iCCP', b'wide\0\0' + zlib.compress(P3))
    assert prepared(numbered_png((200, 80, 60), 1, 13, chunk)).changes == ()


def test_transform_and_decoder_are_imported_only_where_they_are_needed():
    late = {'numpy', 'pi_heif', 'PIL.ImageCms', 'library.records.manifest'}
    program = (
        'import sys; from library.preparation import workers; '
        f'print({late} & sys.modules.keys() or "none")'
    )
    command = [sys.executable, '-c', program]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout == 'none\n'
