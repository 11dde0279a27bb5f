"""How much of the evaluation's pictures the model never sees, told at the start of training."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from library.inputs.options import CROP, PAD, SQUEEZE, ImageOptions
from library.inputs.unseen import PICTURES, describe_unseen, unseen_part
from library.records.example import encode_example
from library.records.external import read_external
from library.records.framing import frame
from library.records.listing import LabelledImage, Listing
from library.records.manifest import Manifest, Shard

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ('sizes', 'fit', 'center_crop', 'part'),
    [
        ([(640, 160)], CROP, 1.0, 0.75),
        ([(160, 640)], CROP, 1.0, 0.75),
        ([(640, 160), (100, 100)], CROP, 1.0, 0.375),
        ([(100, 100)], CROP, 0.5, 0.75),
        ([(200, 100)], CROP, 0.5, 0.875),
        ([(640, 160)], SQUEEZE, 1.0, 0.0),
        ([(640, 160)], PAD, 0.5, 0.75),
        ([], CROP, 0.5, 0.0),
    ],
)
def test_the_part_is_what_the_central_window_leaves_of_the_area(sizes, fit, center_crop, part):
    assert unseen_part(sizes, fit, center_crop) == pytest.approx(part)


def picture(width, height, kind='JPEG'):
    out = io.BytesIO()
    Image.new('RGB', (width, height)).save(out, kind)
    return out.getvalue()


@pytest.fixture
def listed(tmp_path):
    """A listing of pictures of these sizes, in files of their own."""

    def make(*sizes):
        images = []
        for number, size in enumerate(sizes):
            path = tmp_path / f'{number}.png'
            path.write_bytes(picture(*size, 'PNG') if size else b'no picture')
            images.append(LabelledImage(path.name, 0, str(path), 1))
        return Listing(('a',), tuple(images), folder=str(tmp_path))

    return make


@pytest.mark.parametrize(
    ('options', 'line'),
    [
        (ImageOptions(), '75 % of each evaluation picture is cut away: --fit pad or squeeze'),
        (
            ImageOptions(center_crop=0.5),
            '94 % of each evaluation picture is cut away: --fit pad or squeeze and --center_crop 1',
        ),
        (ImageOptions(fit=SQUEEZE), ''),
        (ImageOptions(fit=PAD), ''),
        (
            ImageOptions(fit=PAD, center_crop=0.5),
            '75 % of each evaluation picture is cut away: --center_crop 1',
        ),
    ],
)
def test_the_line_says_how_much_and_what_to_do(listed, options, line):
    assert describe_unseen(listed((640, 160), (640, 160)), options) == line


def test_of_pictures_of_several_sizes_it_is_a_mean(listed):
    line = describe_unseen(listed((200, 100), (100, 100), (50, 100)), ImageOptions())
    assert line.startswith('on average 33 % of each evaluation picture is cut away: --fit pad')


@pytest.mark.parametrize(('width', 'said'), [(100, False), (124, False), (126, True)])
def test_less_than_a_fifth_is_no_line(listed, width, said):
    assert bool(describe_unseen(listed((width, 100)), ImageOptions())) == said


def test_bad_and_missing_pictures_are_left_to_training(listed, tmp_path):
    listing = listed((), (200, 100), (90, 90))
    (tmp_path / '2.png').unlink()
    assert describe_unseen(listing, ImageOptions()).startswith('50 % of each')
    assert describe_unseen(listed(()), ImageOptions()) == ''


def test_noise_has_no_pictures():
    assert describe_unseen(object(), ImageOptions(center_crop=0.5)) == ''


@pytest.mark.parametrize('has_manifest', [True, False])
def test_of_records_those_at_the_starts_of_files_are_looked_at(tmp_path, has_manifest):
    # After so many the pictures are square.
    wide = PICTURES // 2
    shards = []
    for name in ('a', 'b'):
        content = b''.join(
            frame(encode_example(picture(300 if n < wide else 100, 100), 0, 0, 0, 'x', f'{n}.jpg'))
            for n in range(2 * wide)
        )
        (tmp_path / name).write_bytes(content)
        shards.append(Shard(name, 2 * wide, len(content), ''))
    split = Manifest(('x',), {'x': 4 * wide}, tuple(shards), folder=str(tmp_path))
    if not has_manifest:
        split = read_external([str(tmp_path / name) for name in ('a', 'b')], 'records')
    line = describe_unseen(split, ImageOptions())
    assert line == '67 % of each evaluation picture is cut away: --fit pad or squeeze'
