"""Bad images, and what else is refused: what a conversion says, and what it leaves."""

from __future__ import annotations

import csv
import dataclasses
import os
import re
import shutil

import pytest
from PIL import Image

from library.errors import ConfigError, DataError
from library.preparation.converter import convert
from library.preparation.encoding_options import EncodingOptions
from library.preparation.output import Output
from library.records.listing import Listing
from tests.conftest import draw_images
from tests.library.preparation.conversions import (
    Writer,
    contents,
    convert_images,
    list_images,
    shards_of,
)

pytestmark = pytest.mark.graph


def converted(images, output, **options):
    """The manifest of a conversion into OUTPUT/train-*."""
    return convert_images(images, output, **options).manifests['train']


@pytest.fixture
def images(tmp_path):
    """Three classes of six images."""
    return draw_images(tmp_path / 'images')


def test_the_report_names_each_rejected_file_with_its_reason(images, output):
    (images / 'red' / '0.jpg').write_bytes(b'')
    (images / 'blue' / 'a, "b".jpg').write_bytes(b'<html>')
    os.mkfifo(images / 'green' / 'pipe.png')
    (images / 'green' / 'link.png').symlink_to(images / 'green' / '0.jpg')
    converted(images, output, max_bad_fraction=0.5)
    with open(output / 'train.rejected.csv', newline='') as file:
        head, (name, reason), *rows = csv.reader(file)
    assert (head, name) == (['file', 'reason'], 'blue/a, "b".jpg')
    assert reason.startswith('not an image (')
    assert rows == [
        ['green/link.png', 'symbolic link (see --follow_symlinks)'],
        ['green/pipe.png', 'not a regular file'],
        ['red/0.jpg', 'empty file'],
    ]


def test_too_many_bad_images_leave_the_report_and_nothing_else(images, output):
    for number in range(2):
        (images / 'red' / f'{number}.jpg').write_bytes(b'')
    expected = (
        f'2 of 18 images are bad, more than --max_bad_fraction 0.1; most often (2): empty file; '
        f'see {output}/train.rejected.csv'
    )
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        converted(images, output, num_shards=6)
    report = b'file,reason\nred/0.jpg,empty file\nred/1.jpg,empty file\n'
    assert contents(output) == {'train.rejected.csv': report}
    assert DataError.exit_code == 3


def test_exactly_the_allowed_fraction_may_be_bad(images, output):
    # 0.29 * 100 is less than 29 in floating point.
    for number in range(53):
        shutil.copy(images / 'red' / '0.jpg', images / 'red' / f'copy{number}.jpg')
    for number in range(29):
        (images / 'blue' / f'bad{number}.jpg').write_bytes(b'')
    assert converted(images, output, max_bad_fraction=0.29).examples == 71
    (images / 'red' / '0.jpg').write_bytes(b'')
    with pytest.raises(DataError, match='30 of 100 images are bad'):
        converted(images, output, max_bad_fraction=0.29)


def test_no_bad_image_may_be_allowed(images, output):
    assert converted(images, output, max_bad_fraction=0.0).examples == 18
    (images / 'red' / '0.jpg').write_bytes(b'')
    with pytest.raises(DataError, match=r'1 of 18 images are bad, more than .* 0\.0; most often'):
        converted(images, output, max_bad_fraction=0.0)


def test_entries_that_are_no_files_take_a_place_and_count_as_bad(images, output):
    for number in range(3):
        os.mkfifo(images / 'red' / f'pipe{number}.jpg')
    with pytest.raises(DataError, match='3 of 21 images are bad'):
        converted(images, output)
    manifest = converted(images, output, max_bad_fraction=0.5, num_shards=21)
    assert sorted(shard.examples for shard in manifest.shards) == [0] * 3 + [1] * 18


def test_pictures_that_are_dropped_are_not_bad(images, output):
    for number in range(6):
        shutil.copy(images / 'red' / '0.jpg', images / 'red' / f'copy{number}.jpg')
    manifest = converted(images, output, max_bad_fraction=0.0, duplicates='drop')
    assert (manifest.examples, len(manifest.rejected)) == (18, 6)
    (images / 'red' / '1.jpg').write_bytes(b'')
    with pytest.raises(DataError, match=r'^1 of 24 images are bad'):
        converted(images, output, max_bad_fraction=0.0, duplicates='drop')


def test_no_good_image_at_all_is_an_error_whatever_is_allowed(images, output):
    for path in images.rglob('*.jpg'):
        path.write_bytes(b'')
    report = f'{output}/train.rejected.csv'
    expected = f'none of the 18 images is good; most often (18): empty file; see {report}'
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        converted(images, output, max_bad_fraction=1.0)
    assert list(contents(output)) == ['train.rejected.csv']


def test_images_that_are_too_narrow_say_which_edge_takes_them(images, output):
    for name, size in (('1', (1000, 20)), ('2', (20, 400)), ('3', (300, 10))):
        Image.new('RGB', size).save(images / 'red' / f'narrow{name}.png')
    (images / 'red' / 'empty.png').touch()
    expected = (
        f'4 of 22 images are bad, more than --max_bad_fraction 0.1; most often (3): 1000x20, 64x1 '
        f'when shrunk: an edge is under 8 pixels (--max_edge >= 400 takes them); see '
        f'{output}/train.rejected.csv'
    )
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        converted(images, output)
    manifest = converted(images, output, max_edge=400)
    assert [each.file for each in manifest.rejected] == ['red/empty.png']


def test_other_files_of_a_class_count_as_bad_where_they_are_most_of_it(images, output):
    for number in range(6):
        (images / 'red' / f'{number}.dcm').write_bytes(b'')
        (images / 'blue' / f'{number + 10}.dcm').write_bytes(b'')
        (images / 'green' / f'{number}.json').write_bytes(b'{}')
        (images / 'green' / f'{number}.jpg.txt').write_bytes(b'')
    converted(images, output, max_bad_fraction=0.0)
    (images / 'blue' / 'one.more').write_bytes(b'')
    told = 'blue: 6 images, 7 other files: 6 .dcm, 1 .more'
    expected = f'7 of 25 files are bad, more than --max_bad_fraction 0.2: {told}'
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        converted(images, output, max_bad_fraction=0.2)
    (images / 'red' / '0.jpg').write_bytes(b'')
    expected += f'; most often (1): empty file; see {output}/train.rejected.csv'
    with pytest.raises(DataError, match=f'^{re.escape(expected.replace("7 of", "8 of"))}$'):
        converted(images, output, max_bad_fraction=0.2)
    assert converted(images, output, max_bad_fraction=0.4).examples == 17


def test_a_class_without_a_good_image_is_an_error_that_names_it(images, output):
    for path in (images / 'green').iterdir():
        path.write_bytes(b'')
    expected = f"^class 'green' has no good image; see {output}/train.rejected.csv$"
    with pytest.raises(DataError, match=expected):
        converted(images, output, max_bad_fraction=0.5)
    assert list(contents(output)) == ['train.rejected.csv']


def test_a_file_that_is_listed_twice_is_an_error(images, output):
    listing, target = list_images(images, output)
    twice = dataclasses.replace(listing, images=(*listing.images, listing.images[3]))
    with pytest.raises(DataError, match=rf'^{images}: blue/3\.jpg listed twice$'):
        convert(twice, target, EncodingOptions(64), Writer())
    assert not output.exists()


def test_a_listing_without_images_is_an_error(tmp_path):
    listing = Listing(('cat',), (), folder='/images')
    with pytest.raises(DataError, match=r'^/images: no images$'):
        convert(listing, Output(str(tmp_path), 'train'), EncodingOptions(64), Writer())


def test_somebody_elses_file_under_the_manifests_name_is_refused(images, output):
    output.mkdir()
    (output / 'train.json').write_text('{"annotations": []}')
    with pytest.raises(ConfigError, match=r'train\.json: not of a conversion; choose another'):
        converted(images, output)
    assert (output / 'train.json').read_text() == '{"annotations": []}'
    assert shards_of(output) == {}
