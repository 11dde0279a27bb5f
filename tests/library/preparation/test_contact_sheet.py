"""The page with some of what a conversion altered, before and after; or no page at all."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from library.preparation.contact_sheet import EDGE, LINE, MARGIN, draw_contact_sheet
from library.preparation.encoding_options import EncodingOptions
from library.preparation.output import Output, wrote
from tests.library.preparation.conversions import convert_images, list_images


def put(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)


def half(left, right):
    image = Image.new('RGB', (144, 144), right)
    image.paste(left, (0, 0, 72, 144))
    return image


@pytest.fixture
def sheet(tmp_path):
    """Converts what was put, and gives the path of the sheet, with its pixels."""

    def call():
        images, output = tmp_path / 'images', tmp_path / 'out'
        done = convert_images(images, output, 'train', max_edge=144)
        listing, target = list_images(images, output)
        path = draw_contact_sheet(done, listing, target, EncodingOptions(144))
        if not path:
            return '', None
        with open(path, 'rb') as file:
            return path, np.asarray(Image.open(io.BytesIO(file.read()))).astype(int)

    return call


def middle(pixels, row, column, *, after):
    """The colours in the left and the right half of a picture."""
    left = MARGIN + column * (2 * EDGE + 3 * MARGIN) + (EDGE + 2) * after
    top = MARGIN + LINE + row * (EDGE + 2 * LINE + 2 * MARGIN)
    picture = pixels[top : top + EDGE, left : left + EDGE]
    return [picture[40:100, start : start + 40].mean(axis=(0, 1)) for start in (16, 88)]


def test_a_turned_image_is_shown_before_and_after(tmp_path, sheet):
    exif = Image.Exif()
    exif[0x112] = 3  # upside down
    put(tmp_path / 'images' / 'a' / 'turned.jpg', half('red', 'blue'), exif=exif)
    put(tmp_path / 'images' / 'b' / 'plain.jpg', half('red', 'blue'))
    path, pixels = sheet()
    assert path == f'{tmp_path}/out/train.altered_images.jpg'
    red, blue = (254, 0, 0), (0, 0, 254)
    for found, colors in ((False, (red, blue)), (True, (blue, red))):
        for color, expected in zip(middle(pixels, 0, 0, after=found), colors, strict=True):
            np.testing.assert_allclose(color, expected, atol=12)
    # There is one row, of one pair.
    assert pixels.shape[0] == EDGE + 2 * LINE + 2 * MARGIN
    assert (np.abs(pixels[:, 2 * EDGE + 3 * MARGIN :] - 245) < 12).all(axis=-1).mean() > 0.97


def test_those_that_were_altered_more_come_first(tmp_path, sheet):
    for number, clear in enumerate((10, 140, 70)):
        image = half('black', 'black').convert('RGBA')
        image.paste((0, 0, 0, 0), (0, 0, clear, 144))
        put(tmp_path / 'images' / 'a' / f'{number}.png', image)
    put(tmp_path / 'images' / 'b' / 'plain.jpg', half('red', 'blue'))
    _, pixels = sheet()
    lightness = [middle(pixels, 0, column, after=True)[0].mean() for column in range(3)]
    assert lightness[0] > 240
    assert lightness == sorted(lightness, reverse=True)


def test_an_older_sheet_goes_where_nothing_was_altered(tmp_path, sheet):
    put(tmp_path / 'images' / 'a' / 'plain.jpg', half('red', 'blue'))
    put(tmp_path / 'images' / 'b' / 'plain.jpg', half('blue', 'red'))
    old = tmp_path / 'out' / 'train.altered_images.jpg'
    old.parent.mkdir()
    old.write_bytes(b'old')
    assert sheet() == ('', None)
    assert not old.exists()


def test_a_sheet_is_no_image_of_a_data_set():
    assert wrote(Output('out', None).contact_sheet)
    assert wrote(Output('out', 'train').contact_sheet)
    assert not wrote('out/my_altered_images.png')
