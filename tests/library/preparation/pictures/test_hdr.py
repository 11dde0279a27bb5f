"""HDR: PQ and HLG become what BT.2408 says, computed here a second time, number by number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from library.preparation.images import prepare_image
from library.preparation.pictures.changes import RECOLORED, TONE_MAPPED
from library.preparation.pictures.hdr import hlg_decoded, pq_decoded, pq_encoded
from library.preparation.pictures.picture_options import PictureOptions
from tests.library.preparation.drawn_pictures import (
    assert_flat,
    encoded,
    png,
    png_chunk,
    stored_pixels,
)
from tests.library.preparation.heic_files import DEEP, DEEP_COLORS, with_numbers
from tests.library.preparation.pictures.profiles import (
    DISPLAY_P3,
    TO_SRGB,
    as_srgb,
    rgb_profile,
)

pytestmark = pytest.mark.unit

PQ, HLG, BT_2020, DISPLAY = 16, 18, 9, 12
MANAGED = PictureOptions()


def light_of_pq(code):
    """cd/m2 of a code of 0 to 1, with the constants as SMPTE ST 2084 rounds them."""
    root = code ** (1 / 78.84375)
    return 10_000 * (max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (
        1 / 0.1593017578125
    )


def pq_of_light(light):
    """The other way, found by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if light_of_pq(middle) < light else (low, middle)
    return low


def bent(light):
    """The EETF for a display of 203 cd/m2 and a master of 1000, black being 0."""
    master = pq_of_light(1000)
    signal, highest = pq_of_light(min(light, 1000)) / master, pq_of_light(203) / master
    knee = 1.5 * highest - 0.5
    if signal >= knee:
        t = (signal - knee) / (1 - knee)
        # Hermite: from the knee with slope 1 to the highest with slope 0.
        basis = (1 + 2 * t) * (1 - t) ** 2, t * (1 - t) ** 2, t * t * (3 - 2 * t)
        signal = basis[0] * knee + basis[1] * (1 - knee) + basis[2] * highest
    return light_of_pq(signal * master)


def expected(nits, space):
    brightest = max(nits)
    share = bent(brightest) / brightest if brightest else 0
    light = np.array(nits) * share / 203
    return as_srgb(light if space is None else np.asarray(TO_SRGB[space]) @ light)


def numbered(color, primaries, transfer):
    rows = (b'\0' + bytes(color) * 16) * 16
    return png((16, 16), 8, 2, rows, png_chunk(b'cICP', bytes([primaries, transfer, 0, 1])))


def prepared(data):
    return prepare_image(data, 64, quality=95, pictures=MANAGED)


# Codes for 8 bits: up to the knee, above it, beyond what is kept, and colours.
CODES = [(0,) * 3, (60,) * 3, (110,) * 3, (148,) * 3, (192,) * 3, (255,) * 3]
CODES += [(140, 120, 100), (90, 120, 100), (100, 110, 130)]


@pytest.mark.parametrize(('primaries', 'space'), [(BT_2020, 'BT.2020'), (DISPLAY, 'P3'), (1, None)])
@pytest.mark.parametrize('codes', CODES)
def test_pq_becomes_sdr(codes, primaries, space):
    image = prepared(numbered(codes, primaries, PQ))
    assert image.changes == (TONE_MAPPED,)
    nits = [light_of_pq(code / 255) for code in codes]
    assert_flat(stored_pixels(image), expected(nits, space))


@pytest.mark.parametrize('codes', [*CODES, (191,) * 3])
def test_hlg_becomes_sdr(codes):
    image = prepared(numbered(codes, BT_2020, HLG))
    assert image.changes == (TONE_MAPPED,)
    scene = []
    for code in codes:
        code /= 255
        high = (math.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12
        scene.append(code * code / 3 if code <= 0.5 else high)
    luminance = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2]
    nits = [1000 * luminance**0.2 * each for each in scene]
    assert_flat(stored_pixels(image), expected(nits, 'BT.2020'))


def test_published_levels():
    """BT.2408, table 1: reference white is 58 % PQ and 75 % HLG; 100 cd/m2 is 51 % PQ."""
    assert pq_encoded(203) == pytest.approx(0.58, abs=0.005)
    assert pq_encoded(100) == pytest.approx(0.51, abs=0.005)
    assert pq_decoded(np.array([1.0])) == pytest.approx(10_000)
    assert 1000 * hlg_decoded(np.array([0.75])) ** 1.2 == pytest.approx(203, abs=1)


def test_dark_light_is_kept_and_bright_light_still_ordered():
    levels = [
        stored_pixels(prepared(numbered((code,) * 3, 1, PQ)))[0, 0, 0] for code in range(0, 200, 8)
    ]
    assert levels == sorted(levels)
    assert levels[0] == 0
    dark = as_srgb(light_of_pq(96 / 255) / 203)
    assert levels[12] == pytest.approx(float(dark), abs=2)


def test_hdr_of_a_heic_of_ten_bits():
    image = prepared(with_numbers(DEEP, BT_2020, PQ))
    assert image.changes == (TONE_MAPPED,)
    pixels = stored_pixels(image)
    for place, codes in zip(((8, 8), (8, 24), (24, 8), (24, 24)), DEEP_COLORS, strict=True):
        nits = [light_of_pq(code / 255) for code in codes]
        np.testing.assert_allclose(pixels[place], expected(nits, 'BT.2020'), atol=6)


def test_a_profile_may_name_hdr_by_numbers():
    tag = {b'cicp': b'cicp\0\0\0\0' + bytes([BT_2020, PQ, 0, 1])}
    drawn = Image.new('RGB', (16, 16), (110, 110, 110))
    image = prepared(encoded(drawn, 'PNG', icc_profile=rgb_profile(DISPLAY_P3, None, more=tag)))
    assert image.changes == (TONE_MAPPED,)
    assert_flat(stored_pixels(image), expected([light_of_pq(110 / 255)] * 3, 'BT.2020'))


def test_a_profile_that_names_sdr_by_numbers_counts_itself():
    tag = {b'cicp': b'cicp\0\0\0\0' + bytes([1, 13, 0, 1])}
    drawn = Image.new('RGB', (16, 16), (200, 80, 60))
    assert prepared(
        encoded(drawn, 'PNG', icc_profile=rgb_profile(DISPLAY_P3, None, more=tag))
    ).changes == (RECOLORED,)


def test_hdr_keeps_its_numbers_if_asked_for():
    data = numbered((110, 110, 110), BT_2020, PQ)
    image = prepare_image(data, 64, quality=95, pictures=PictureOptions(keep_colors=True))
    assert image.changes == ()
    assert_flat(stored_pixels(image), (110, 110, 110))
