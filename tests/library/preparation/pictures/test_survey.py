"""What a sample of a data set tells of its pictures, and the levels that are measured."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from library.errors import DataError
from library.preparation.converter import convert
from library.preparation.encoding_options import EncodingOptions
from library.preparation.options import StoredPictureOptions
from library.preparation.pictures import sample
from library.preparation.workers import prepare
from tests.library.preparation.conversions import Writer, contents, list_images
from tests.library.preparation.drawn_pictures import encoded, tiff

BOTH = {'black_value': 'auto', 'white_value': 'auto'}


def ramp(high, low=0):
    """16 x 16 values from low to high, evenly."""
    return np.linspace(low, high, 256).reshape(16, 16)


def grey(high, low=0):
    return encoded(Image.fromarray(ramp(high, low).round().astype(np.uint16)), 'PNG')


def floats(high, low=0.0):
    return tiff((16, 16), [32], 1, ramp(high, low).astype(np.float32).tobytes(), t339=[3])


@pytest.fixture
def folder(tmp_path):
    """Writes files into the two class folders in turns; gives the folder."""

    def write(datas, ending='png'):
        for number, data in enumerate(datas):
            place = tmp_path / 'images' / 'ab'[number % 2] / f'{number}.{ending}'
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        return tmp_path / 'images'

    return write


@pytest.fixture
def converted(tmp_path):
    """Converts a folder; gives the conversion and the lines that it told."""

    def call(images, output='records', max_bad_fraction=0.1, **pictures):
        listing, target = list_images(images, tmp_path / output)
        encoding = EncodingOptions(64, pictures=StoredPictureOptions(**pictures))
        told = []
        done = convert(
            listing,
            target,
            encoding,
            Writer(),
            num_shards=2,
            max_bad_fraction=max_bad_fraction,
            tell=told.append,
        )
        return done, told

    return call


def levels_of(conversion):
    kept = conversion.manifests['train'].options['pictures']
    return kept['black_value'], kept['white_value']


def used(share, count, of=None):
    return (
        f'warning: {count} of {of or count} images of more than 8 bits use less than {share} % of '
        f'their range'
    )


@pytest.mark.parametrize(
    ('high', 'percent', 'white'),
    [(1000, 2, 1023), (3300, 6, 4095), (4095, 7, 4095), (16_383, 25, 16_383), (30_000, 46, 32_767)],
)
def test_pictures_of_fewer_bits_are_told_with_the_white_that_suits_them(
    folder, converted, high, percent, white
):
    done, told = converted(folder([grey(high - number) for number in range(12)]))
    dark = 'and are stored dark'
    assert told == [f'{used(percent, 12)}, {dark}: --white_value {white} (or auto)']
    assert levels_of(done) == (None, None)
    assert done.manifests['train'].options['pictures'] == StoredPictureOptions().to_json()


def test_a_set_that_uses_its_range_is_not_told_of(folder, converted):
    images = folder([grey(65_535 - number) for number in range(10)] + [grey(900)])
    assert converted(images)[1] == []


def test_eight_bits_are_not_counted(folder, converted):
    dark = [encoded(Image.fromarray((ramp(12) + n).astype(np.uint8)), 'PNG') for n in range(12)]
    assert converted(folder(dark))[1] == []
    images = folder([*dark, grey(900), grey(901)])
    assert converted(images)[1] == [
        f'{used(2, 2)}, and are stored dark: --white_value 1023 (or auto)'
    ]


def test_one_bright_picture_hides_nothing(folder, converted):
    images = folder([grey(900 + number) for number in range(19)] + [grey(65_535)])
    done, told = converted(images)
    assert told == [f'{used(2, 19, 20)}, and are stored dark: --white_value 1023 (or auto)']
    done, _ = converted(images, white_value='auto')
    assert levels_of(done) == (None, '918')


def test_one_bright_pixel_hides_nothing(folder, converted):
    pixels = np.resize(ramp(900), (64, 64)).astype(np.uint16)
    pixels[3, 3] = 65_535
    images = folder([encoded(Image.fromarray(pixels), 'PNG'), grey(899)])
    assert converted(images)[1] == [
        f'{used(2, 2)}, and are stored dark: --white_value 1023 (or auto)'
    ]


def test_two_depths_in_one_set_are_told_to_be_converted_apart(folder, converted):
    images = folder([grey(65_535 - number) for number in range(8)] + [grey(900), grey(901)])
    assert converted(images)[1] == [
        f'{used(2, 2, 10)}: convert them apart, with --white_value 1023'
    ]


def test_pictures_of_little_contrast_are_told(folder, converted):
    images = folder([grey(36_000 + number, 32_000) for number in range(4)])
    assert converted(images)[1] == [
        'warning: 4 of 4 images of more than 8 bits hold little contrast: --black_value auto '
        '--white_value auto'
    ]


def test_a_level_that_was_given_ends_the_warning(folder, converted):
    images = folder([grey(3300), grey(3000)])
    done, told = converted(images, white_value='4095.0')
    assert (told, levels_of(done)) == ([], (None, '4095'))


def test_auto_measures_and_the_manifest_keeps_the_numbers(folder, converted):
    # The lowest and highest but one: of ten pictures, one at either end is left out.
    images = folder([grey(3000 + number, 100 + number) for number in range(10)])
    done, told = converted(images, **BOTH)
    assert levels_of(done) == ('101', '3008')
    assert told == [
        'measured on 10 images of more than 8 bits: --black_value 101 --white_value 3008 (give '
        'these to a split that is converted alone)'
    ]


def test_a_second_run_measures_the_same_and_makes_nothing_anew(folder, converted, tmp_path):
    images = folder([grey(3000 + number) for number in range(12)])
    first, _ = converted(images, **BOTH)
    before = contents(tmp_path / 'records')
    again, _ = converted(images, **BOTH)
    assert (first.kept, again.kept, again.shards) == (0, 2, 2)
    assert contents(tmp_path / 'records') == before
    # And the numbers typed are the numbers measured.
    black, white = levels_of(first)
    typed, _ = converted(images, black_value=black, white_value=white)
    assert typed.kept == 2


def test_other_numbers_make_the_shards_anew(folder, converted):
    images = folder([grey(3000), grey(2000)])
    converted(images, white_value='4095')
    assert converted(images, white_value='4095')[0].kept == 2
    assert converted(images, white_value='4000')[0].kept == 0


def test_names_and_folders_do_not_choose_the_sample(folder, converted, monkeypatch, tmp_path):
    monkeypatch.setattr(sample, 'DECODED', 5)
    images = folder([grey(3000 + 10 * number) for number in range(40)])
    done, told = converted(images, **BOTH)
    assert told[0].startswith('measured on 5 images')
    for number, path in enumerate(sorted(images.rglob('*.png'))):
        path.rename(images / 'ba'[number % 2] / f'{97 * number % 41}-other.png')
    again, _ = converted(images, 'elsewhere', **BOTH)
    assert levels_of(again) == levels_of(done)


def test_floats_are_measured(folder, converted):
    images = folder([floats(0.25 + number / 64) for number in range(8)], 'tif')
    with pytest.raises(DataError, match='does not say which value is white'):
        converted(images)
    done, _ = converted(images, **BOTH)
    assert levels_of(done) == ('0', '0.359375')
    assert done.manifests['train'].examples == 8


def test_planes_of_16_bits_are_looked_at_by_their_high_bytes(folder, converted):
    planes = [np.full(768, 3300 + number, np.uint16).tobytes() for number in range(4)]
    layout = {'t284': [2], 't273': [8, 520, 1032], 't279': [512] * 3}
    images = folder([tiff((16, 16), [16] * 3, 2, each, **layout) for each in planes], 'tif')
    assert converted(images)[1][0].startswith(used(5, 4))


def test_auto_without_anything_to_measure_says_so(folder, converted):
    images = folder([encoded(Image.new('L', (16, 16), 9 * number), 'PNG') for number in range(4)])
    done, told = converted(images, white_value='auto')
    assert told == ['no image of more than 8 bits was found: --white_value auto has no effect']
    assert levels_of(done) == (None, None)


def test_auto_with_one_value_alone_is_an_error(folder, converted):
    images = folder([grey(700, 700), grey(700, 700)])
    with pytest.raises(DataError, match='hold values from 700 to 700, which leaves no room'):
        converted(images, **BOTH)


def test_the_sample_is_silent_about_damaged_files(folder, capfd, tmp_path):
    cut = tiff((16, 16), [16], 1, bytes(100), t278=[4])
    listing, _ = list_images(folder([cut, cut], 'tif'), tmp_path / 'records')
    prepare(cut, EncodingOptions(64))
    assert 'Not enough data' in capfd.readouterr().err  # libtiff's own line
    digests = [bytes([number]) for number, _ in enumerate(listing.images)]
    assert sample.look_at_some(listing.images, digests, EncodingOptions(64)) == []
    assert capfd.readouterr().err == ''


def test_damaged_files_do_not_end_the_survey(folder, converted):
    whole = grey(3300)
    images = folder([whole, grey(3000), whole[:60], b'II*\0'])
    _, told = converted(images, max_bad_fraction=0.5)
    assert told[0].startswith(used(6, 2))


def with_infrared(number):
    pixels = np.empty((16, 16, 4), np.uint8)
    pixels[...] = (60 + number, 90, 60, 180)
    return encoded(Image.fromarray(pixels), 'TIFF')


def test_a_fourth_band_that_looks_like_no_opacity_is_told(folder, converted):
    images = folder([with_infrared(number) for number in range(6)], 'tif')
    assert converted(images)[1] == [
        'warning: the last band of 6 of 6 TIFFs is taken for opacity, and is hardly anywhere 0 or '
        'full: if it is another one, such as infrared, --bands 1,2,3 leaves it out'
    ]
    assert converted(images, bands=(1, 2, 3))[1] == []


@pytest.mark.parametrize(('asked', 'white'), [('auto', '65000'), ('4095', '4095'), (None, '4095')])
def test_pictures_of_two_depths_fit_under_no_one_window_and_that_is_told(
    folder, converted, asked, white
):
    images = folder([grey(3000, n) for n in range(12)] + [grey(65000, n) for n in range(8)])
    _, told = converted(images, **({'white_value': asked} if asked else {}))
    how = 'dark' if white == '65000' else 'burnt out'
    apart = f'--white_value {white}: convert them apart'
    if asked is None:
        apart = f'--white_value {white}; 8 others go beyond it: convert these apart'
        how = 'dark'
    assert told[-1].startswith(f'warning: {8 if how == "burnt out" else 12} of 20 images of more')
    assert f'stored {how}' in told[-1]
    assert told[-1].endswith(apart)


def test_one_dark_picture_under_a_window_is_no_matter(folder, converted):
    _, told = converted(
        folder([grey(3000, n) for n in range(99)] + [grey(100)]), white_value='4095'
    )
    assert told == []


def test_a_broken_side_chunk_does_not_hide_the_depth_of_a_file(folder, converted):
    broken = [
        data[:33] + b'\0\0\0\1tEXtx\0\0\0\0' + data[33:]
        for data in [grey(3000, n) for n in range(4)]
    ]
    done, told = converted(folder([b'\n' + data for data in broken]), white_value='auto')
    assert levels_of(done)[1] == '3000'
    assert told[0].startswith('measured on 4 images of more than 8 bits')


def test_a_window_for_pictures_of_8_bits_alone_is_told_to_be_of_no_effect(folder, converted):
    drawn = [encoded(Image.fromarray(ramp(200, n).astype(np.uint8)), 'PNG') for n in range(4)]
    _, told = converted(folder(drawn), white_value='4095')
    line = 'no image of more than 8 bits was found: --white_value 4095 has no effect'
    assert told == [line]
