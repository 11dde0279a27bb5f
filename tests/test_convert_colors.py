"""convert_dataset.py on photos of phones: what it says of them, and what predictions do alike."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from library.modes.prediction.image_predictions import encoding_options_of
from library.preparation.images import prepare_image
from library.preparation.pictures.picture_options import BEFORE, PictureOptions, from_json
from tests.conftest import draw_images
from tests.converting import convert, flags
from tests.library.preparation.drawn_pictures import encoded, noise
from tests.library.preparation.heic_files import BURST, DEEP, QUARTERS, with_numbers
from tests.library.preparation.pictures.profiles import DISPLAY_P3, rgb_profile

pytestmark = pytest.mark.graph

P3 = rgb_profile(DISPLAY_P3, None)


@pytest.fixture
def photos(tmp_path):
    """Plain images, and in the class red what phones and a broken program wrote."""
    folder = draw_images(tmp_path / 'photos', per_class=4)
    (folder / 'red' / 'plain.HEIC').write_bytes(QUARTERS)
    (folder / 'red' / 'burst.heic').write_bytes(BURST)
    (folder / 'red' / 'hdr.hif').write_bytes(with_numbers(DEEP, 9, 16))
    (folder / 'red' / 'wide.jpg').write_bytes(encoded(noise(32, 24), icc_profile=P3))
    (folder / 'red' / 'broken.jpg').write_bytes(encoded(noise(24, 32), icc_profile=b'none'))
    (folder / 'red' / 'new.avif').write_bytes(encoded(Image.new('RGB', (32, 32), 'red'), 'AVIF'))
    return folder


TOLD = (
    'colour profile broken or of other pixels, ignored: 1 (red/broken.jpg); recoloured to sRGB: 1; '
    'HDR tone mapped: 1; turned upright: 1'
)
COUNTS = {
    'broken colour profile ignored': 1,
    'recoloured': 1,
    'tone mapped': 1,
    'turned': 1,
}


def test_photos_of_phones_are_converted_and_what_was_done_is_counted(photos, tmp_path, capsys):
    output = tmp_path / 'records'
    status, out, err = convert(capsys, *flags(photos, output))
    assert (status, err) == (0, '')
    assert '18 images of 3 classes' in out
    assert TOLD in out.splitlines()
    manifest = json.loads((output / 'train.json').read_text())
    assert manifest['changes'] == COUNTS
    assert manifest['options']['pictures']['keep_colors'] is False
    # Nothing is decoded again, and what it says is the same.
    status, out, _ = convert(capsys, *flags(photos, output))
    assert 'kept: 2 of 2 shards, made from the same images' in out
    assert TOLD in out.splitlines()


def test_colours_are_kept_if_asked_for(photos, tmp_path, capsys):
    output = tmp_path / 'records'
    status, _, _ = convert(capsys, *flags(photos, output), '--keep_colors')
    assert status == 0
    manifest = json.loads((output / 'train.json').read_text())
    assert manifest['changes'] == {'turned': 1}
    assert manifest['options']['pictures']['keep_colors'] is True


def test_avif_may_still_be_named_as_an_extra_format(photos, tmp_path, capsys):
    more = ('--extra_formats', 'AVIF')
    status, out, _ = convert(capsys, *flags(photos, tmp_path / 'records'), *more)
    assert (status, '18 images' in out) == (0, True)


def test_other_pictures_are_counted_and_the_way_on_is_told(photos, tmp_path, capsys):
    for number in range(3):
        (photos / 'blue' / f'{number}.jxl').write_bytes(b'\xff\x0a' + bytes(40))
    (photos / 'blue' / 'scan').write_bytes(bytes(128) + b'DICM' + bytes(40))
    status, out, _ = convert(capsys, *flags(photos, tmp_path / 'records'))
    assert status == 0
    assert 'blue: 4 images, 4 other files: 3 .jxl, 1 without an ending' in out
    assert 'blue/0.jxl: JPEG XL, which is not read here: decode it into a PNG or JPEG first' in out
    assert 'blue/scan: DICOM: write its picture as a PNG first' in out


def test_a_class_of_other_pictures_alone_is_refused_with_the_way_on(photos, tmp_path, capsys):
    (photos / 'scans').mkdir()
    (photos / 'scans' / 'a.jxl').write_bytes(b'\xff\x0a' + bytes(40))
    status, _, err = convert(capsys, *flags(photos, tmp_path / 'records'))
    assert status == 3
    assert (
        'the class folder holds no images, only 1 other file: 1 .jxl (scans/a.jxl: JPEG XL' in err
    )


def test_predictions_do_to_colours_what_was_done_to_the_training_images():
    data = encoded(noise(32, 24), icc_profile=P3)
    kept = json.dumps(PictureOptions().to_json())
    for pictures, changes in ((kept, ('recoloured',)), (None, ())):
        encoding = encoding_options_of(384, 80, pictures)
        image = prepare_image(data, 384, 80, encoding.formats, encoding.pictures)
        assert image.changes == changes


def test_what_says_nothing_of_colours_was_never_recoloured():
    assert BEFORE.keep_colors
    assert from_json(None) == from_json({}) == from_json({'background': [255] * 3}) == BEFORE
    assert not from_json(PictureOptions().to_json()).keep_colors
