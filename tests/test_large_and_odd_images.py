"""Photos of 108 megapixels and pictures under broken metadata, as a person converts them."""

from __future__ import annotations

import io
import random
import zlib

import numpy as np
import pytest
from PIL import Image

from library.records.example import read_file
from library.records.framing import read_records, walk
from library.records.manifest import read_manifest
from tests.conftest import draw_images
from tests.converting import convert, flags
from tests.library.preparation.drawn_pictures import encoded, noise, png_chunk

pytestmark = pytest.mark.graph


@pytest.fixture
def images(tmp_path):
    """Three classes of six images."""
    return draw_images(tmp_path / 'images')


def stored(folder):
    """Pixels by file name."""
    manifest = read_manifest(str(folder))
    found = {}
    for shard in manifest.shards:
        path = str(folder / shard.name)
        for record in read_records(path, walk(path)[0]):
            name, jpeg = read_file(record)
            found[name] = np.asarray(Image.open(io.BytesIO(jpeg)))
    return found


def test_a_photo_of_108_megapixels_is_taken(images, capsys):
    photo = Image.new('RGB', (12_000, 9000), (40, 60, 200))
    photo.save(images / 'red' / 'phone108.jpg', quality=95)
    status, said, wrong = convert(capsys, *flags(images, max_edge=64))
    assert (status, wrong) == (0, '')
    assert '19 images of 3 classes' in said
    assert '0 rejected' in said
    pixels = stored(images)['red/phone108.jpg']
    assert pixels.shape == (48, 64, 3)
    np.testing.assert_allclose(pixels.mean((0, 1)), (40, 60, 200), atol=2)


def test_what_takes_too_much_memory_is_refused_by_a_line_that_names_the_option(images, capsys):
    for number in range(3):
        (images / 'red' / f'large{number}.png').write_bytes(encoded(noise(400, 300), 'PNG'))
    few = flags(images, max_pixels=100_000)
    status, said, wrong = convert(capsys, *few)
    assert status == 3
    assert wrong.count('\n') == 1
    assert '3 of 21 images are bad' in wrong
    assert 'most often (3): 400x300 is more than --max_pixels 100000' in wrong
    status, said, wrong = convert(capsys, *few, '--max_bad_fraction', '0.5')
    assert (status, wrong) == (0, '')
    assert 'rejected: red/large0.png: 400x300 is more than --max_pixels 100000' in said
    # Shards that lack an image for the sake of the limit are made anew under another one.
    status, said, wrong = convert(capsys, *flags(images, max_pixels=120_000))
    assert (status, wrong) == (0, '')
    assert '21 images of 3 classes' in said
    assert stored(images)['red/large0.png'].shape == (288, 384, 3)


def test_the_usual_limit_leaves_shards_encoding_of(images, capsys):
    convert(capsys, *flags(images))
    status, said, _ = convert(capsys, *flags(images, max_pixels=89_478_485))
    assert status == 0
    assert 'kept: 2 of 2 shards' in said


def test_texts_and_profiles_of_megabytes_reject_no_picture(images, capsys):
    clean = encoded(noise(64, 48), 'PNG')
    large = random.Random(0).randbytes(2 << 20)
    chunks = (
        png_chunk(b'zTXt', b'a\0\0' + zlib.compress(b'x' * (2 << 20))),
        png_chunk(b'iTXt', b'a\0\1\0\0\0' + zlib.compress(b'x' * (2 << 20))),
        png_chunk(b'iCCP', b'a\0\0' + zlib.compress(large)),
    )
    (images / 'red' / 'clean.png').write_bytes(clean)
    for number, chunk in enumerate(chunks):
        data = clean[:33] + chunk + clean[33:]
        (images / 'red' / f'large{number}.png').write_bytes(data)
    status, said, wrong = convert(capsys, *flags(images))
    assert (status, wrong) == (0, '')
    assert '22 images of 3 classes' in said
    assert '0 rejected' in said
    found = stored(images)
    for number in range(len(chunks)):
        np.testing.assert_array_equal(found[f'red/large{number}.png'], found['red/clean.png'])


@pytest.mark.parametrize('size', [(1000, 20), (20, 1000)])
def test_the_line_about_long_pictures_names_the_edge_that_takes_them(tmp_path, capsys, size):
    for label in ('bar', 'disc'):
        (tmp_path / label).mkdir()
        for number in range(12):
            path = tmp_path / label / f'{number}.jpg'
            path.write_bytes(encoded(noise(*size, seed=number + 20 * (label == 'bar'))))
    status, _, wrong = convert(capsys, *flags(tmp_path, max_edge=256))
    assert status == 3
    assert 'none of the 24 images is good; most often (24): ' in wrong
    assert 'an edge is under 8 pixels (--max_edge >= 400 takes them)' in wrong
    status, said, _ = convert(capsys, *flags(tmp_path, max_edge=400))
    assert status == 0
    assert '24 images of 2 classes' in said
