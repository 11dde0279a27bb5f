"""A listing to images that each know their split."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter

import pytest

from library.errors import ConfigError, DataError
from library.preparation.image_list import write_images
from library.preparation.output import Output
from library.preparation.plan import PlannedShard
from library.preparation.split_assignment import assign_splits
from library.records.listing import LabelledImage, Listing

FRACTIONS = {'train': 0.8, 'test': 0.2}


def sha256(text):
    return hashlib.sha256(text.encode()).digest()


def listing_of(**counts):
    """Images of two classes by split; the name `none` means images without a split."""
    images = tuple(
        LabelledImage(f'{split}/{number}.jpg', number % 2, 'path', 1, split.replace('none', ''))
        for split, count in counts.items()
        for number in range(count)
    )
    return Listing(('cat', 'dog'), images, folder='/images')


def assigned(listing, output, fractions=None, split_by='hash', seed=0):
    digests = [sha256(image.filename) for image in listing.images]
    return assign_splits(
        listing, digests, output, fractions=fractions, split_by=split_by, seed=seed
    )


def splits_of(listing, output, **options):
    return {image.filename: image.split for image in assigned(listing, output, **options)}


def refuses(message, listing, output, **options):
    with pytest.raises(ConfigError, match=f'^{re.escape(message)}$'):
        assigned(listing, output, **options)


@pytest.fixture
def several(tmp_path):
    """A folder for each split."""
    return Output(str(tmp_path), None)


@pytest.fixture
def single(tmp_path):
    """One split under the name `mine`."""
    return Output(str(tmp_path), 'mine')


def test_one_split_takes_all_images_under_its_name(single):
    assert set(splits_of(listing_of(none=4), single).values()) == {'mine'}


def test_splits_of_the_source_are_kept(several):
    images = assigned(listing_of(train=3, test=2), several)
    assert images == list(listing_of(train=3, test=2).images)


@pytest.mark.parametrize('split_by', ['hash', 'exact'])
def test_images_without_a_split_are_divided(several, split_by):
    splits = splits_of(listing_of(none=50), several, fractions=FRACTIONS, split_by=split_by)
    assert set(splits.values()) == {'train', 'test'}
    if split_by == 'exact':
        assert Counter(splits.values()) == {'train': 40, 'test': 10}


@pytest.mark.parametrize('split_by', ['hash', 'exact'])
def test_of_given_splits_only_the_training_images_are_divided(several, split_by):
    listing = listing_of(train=50, test=20)
    fractions = {'train': 0.5, 'validation': 0.5}
    splits = splits_of(listing, several, fractions=fractions, split_by=split_by)
    assert {split for name, split in splits.items() if name.startswith('test/')} == {'test'}
    divided_ones = Counter(split for name, split in splits.items() if name.startswith('train/'))
    assert set(divided_ones) == {'train', 'validation'}
    if split_by == 'exact':
        # 25 of each class, so that one split is ahead by one in each.
        assert set(divided_ones.values()) == {26, 24}


@pytest.mark.parametrize('split_by', ['hash', 'exact'])
def test_nothing_but_the_split_of_an_image_changes_and_the_order_stays(several, split_by):
    listing = listing_of(none=30)
    images = assigned(listing, several, fractions=FRACTIONS, split_by=split_by)
    assert [image.filename for image in images] == [image.filename for image in listing.images]
    assert [image.label for image in images] == [image.label for image in listing.images]


def test_the_seed_decides_the_split_assignment(several):
    one, same, other = (
        splits_of(listing_of(none=50), several, fractions=FRACTIONS, seed=seed)
        for seed in (0, 0, 1)
    )
    assert one == same
    assert one != other


def test_an_exact_split_assignment_keeps_what_an_earlier_conversion_stored(several):
    listing = listing_of(none=40)
    for split, members in (('train', listing.images[:4]), ('test', listing.images[4:8])):
        target = several.target(split)
        os.makedirs(target.folder)
        digests = tuple(sha256(image.filename) for image in members)
        shard = PlannedShard(target, 'shard', members, digests, ('cat', 'dog'), '')
        write_images(target.images, [shard], [])
    splits = splits_of(listing, several, fractions=FRACTIONS, split_by='exact')
    assert Counter(splits.values()) == {'train': 32, 'test': 8}
    names = [image.filename for image in listing.images]
    assert [splits[name] for name in names[:8]] == ['train'] * 4 + ['test'] * 4


def test_fractions_beside_the_name_of_one_split_are_refused(single):
    refuses(
        '--splits and --folds name the splits: leave out --tfrecord_filename, which names one',
        listing_of(none=4),
        single,
        fractions=FRACTIONS,
    )


def test_splits_of_the_source_beside_the_name_of_one_are_refused(single):
    refuses(
        '/images: has the splits train, test, so leave out --tfrecord_filename: each is named '
        'after itself',
        listing_of(train=2, test=2),
        single,
    )


def test_neither_splits_nor_fractions_nor_a_name_are_refused(several):
    refuses(
        '/images: has no splits of its own: give its name as --tfrecord_filename (such as train), '
        'or divide it with --splits',
        listing_of(none=4),
        several,
    )


@pytest.mark.parametrize(
    ('counts', 'fractions', 'given'),
    [
        ({'validation': 2, 'test': 2}, {'train': 0.5, 'holdout': 0.5}, 'validation, test'),
        ({'train': 2, 'test': 2}, {'training': 0.5, 'holdout': 0.5}, 'train, test'),
    ],
)
def test_given_splits_without_training_images_to_divide_are_refused(
    several, counts, fractions, given
):
    refuses(
        f'--splits: /images has the splits {given}; only its train can be divided, and a part of '
        f'it must be called train',
        listing_of(**counts),
        several,
        fractions=fractions,
    )


def test_a_fraction_for_a_split_that_the_source_gives_is_refused(several):
    refuses(
        '--splits: /images has a split test of its own: leave out --splits or give fractions '
        'without test, which divide train alone',
        listing_of(train=2, test=2),
        several,
        fractions=FRACTIONS,
    )


def test_images_with_and_without_a_split_are_an_error(several):
    expected = '^/images: some images have a split and some have none$'
    with pytest.raises(DataError, match=expected):
        assigned(listing_of(train=2, none=1), several)


def test_a_split_that_gets_no_image_is_an_error_that_says_what_to_do(several):
    fractions = {'train': 0.999, 'test': 0.001}
    expected = '--splits: test gets none of 3 images; give it a larger fraction'
    for split_by, advice in (('hash', ', or use --split_by exact'), ('exact', '')):
        with pytest.raises(DataError, match=f'^{re.escape(expected + advice)}$'):
            assigned(listing_of(none=3), several, fractions=fractions, split_by=split_by)
    assert DataError.exit_code == 3


def test_copies_of_one_file_that_cannot_be_divided_are_counted_once(several):
    listing = listing_of(none=6)
    with pytest.raises(DataError, match=r': test gets none of 6 images \(1 different files\);'):
        assign_splits(
            listing, [b'x' * 32] * 6, several, fractions=FRACTIONS, split_by='exact', seed=0
        )


def test_a_fold_that_gets_no_image_leads_to_fewer_folds(several):
    fractions = {f'fold{number}': 0.2 for number in range(1, 6)}
    expected = '--folds: fold3 gets none of 3 images; make fewer folds'
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        assigned(listing_of(none=3), several, fractions=fractions, split_by='exact')


def test_a_split_whose_name_begins_like_that_of_a_fold_is_none(several):
    refuses(
        '--splits: /images has the splits train, test; only its train can be divided, and a part '
        'of it must be called train',
        listing_of(train=8, test=2),
        several,
        fractions={'folder': 0.5, 'rest': 0.5},
    )
