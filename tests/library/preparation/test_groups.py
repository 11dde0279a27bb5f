"""Images that must share a split."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

import pytest

from library.errors import ConfigError, DataError
from library.preparation.group_splits import split_groups
from library.preparation.groups import find_series, group_by_name, splits_of_groups, unit_digests
from library.preparation.splits import split_by_hash, with_folds
from library.records.listing import LabelledImage, Listing


def images_of(*names, split='', group=''):
    return tuple(LabelledImage(name, 0, 'path', 1, split, group) for name in names)


def listing_of(*names):
    return Listing(('cat',), images_of(*names), folder='/images')


def grouped(pattern, *names):
    return [image.group for image in group_by_name(listing_of(*names), pattern).images]


def test_the_texts_of_the_groups_of_a_pattern_decide():
    names = ('ill/p01_03.jpg', 'ill/p01_04.jpg', 'well/p02_03.jpg')
    one, same, other = grouped(r'(p\d+)_', *names)
    assert one == same != other
    one, same, other = grouped(r'(p\d+)_(\d)', *names)
    assert len({one, same, other}) == 2


def test_a_pattern_without_groups_goes_by_all_that_it_matches():
    one, same, other = grouped(r'p\d+', 'a/p01_03.jpg', 'b/p01_04.jpg', 'a/p02_03.jpg')
    assert one == same != other


@pytest.mark.parametrize(
    ('pattern', 'error', 'message'),
    [
        ('(p', ConfigError, '--group_by (p: not a regular expression ('),
        ('(q)', ConfigError, '--group_by (q): finds nothing in any path, such as a/p1.jpg'),
        ('q*', ConfigError, '--group_by q*: finds nothing in any path, such as a/p1.jpg'),
        ('(q)?p', ConfigError, '--group_by (q)?p: finds nothing in any path, such as a/p1.jpg'),
        ('(1)?(q)?.jpg', DataError, '--group_by (1)?(q)?.jpg: finds nothing in 1 of 2 paths, such'),
        ('(p1)', DataError, '--group_by (p1): finds nothing in 1 of 2 paths, such as a/p2.jpg'),
    ],
)
def test_a_pattern_that_leaves_images_over_is_refused(pattern, error, message):
    with pytest.raises(error, match=f'^{re.escape(message)}'):
        grouped(pattern, 'a/p1.jpg', 'a/p2.jpg')


def test_an_image_alone_goes_by_its_content_as_ever():
    digests = [b'1' * 32, b'2' * 32]
    assert unit_digests(images_of('a', 'b'), digests) == digests


def test_images_of_a_group_and_equal_pictures_are_one_unit_through_any_chain():
    images = (
        *images_of('a', 'b', group='one'),
        *images_of('c', 'd', group='two'),
        *images_of('e'),
        *images_of('f', group='three'),
    )
    # b and c are the same picture, and so are d and e.
    units = unit_digests(images, [bytes([each]) * 32 for each in (1, 2, 2, 3, 3, 4)])
    assert len(set(units[:5])) == 1
    assert units[5] != units[0]


def test_a_group_keeps_its_unit_whatever_images_come_and_go():
    few = unit_digests(images_of('a', group='one'), [b'1' * 32])
    many = unit_digests(images_of('a', 'b', 'c', group='one'), [b'9' * 32, b'1' * 32, b'5' * 32])
    assert set(few) == set(many)


def draw_groups(sizes):
    """Unit and label of each image: groups of these sizes, each of one class, in turns."""
    units, labels = [], []
    for number, size in enumerate(sizes):
        units += [number.to_bytes(32, 'big')] * size
        labels += [number % 2] * size
    return units, labels


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('sizes', [[10] * 30, [1] * 100, [40, 1, 1, 7, 9, 13] * 6])
def test_whole_groups_are_divided_as_near_to_the_fractions_as_they_allow(sizes, seed):
    units, labels = draw_groups(sizes)
    fractions = {'train': 0.8, 'test': 0.2}
    splits = split_groups(units, labels, fractions, seed, {})
    assert len({*zip(units, splits, strict=True)}) == len(sizes)
    held = Counter(zip(labels, splits, strict=True))
    for label, total in Counter(labels).items():
        for split, fraction in fractions.items():
            assert abs(held[label, split] - fraction * total) <= max(sizes) / 2


def test_folds_take_the_groups_that_train_would_and_share_them_out():
    folds = {f'fold{number}': 0.16 for number in range(1, 6)}
    units, labels = draw_groups([10] * 50)
    whole = split_groups(units, labels, {'train': 0.8, 'test': 0.2}, 0, {})
    folded = split_groups(units, labels, {**folds, 'test': 0.2}, 0, {})
    assert [split == 'test' for split in whole] == [split == 'test' for split in folded]
    assert {Counter(folded)[name] for name in folds} == {80}
    # A class of one group is trained on, and not always in the same fold.
    single, names = [bytes([number]) * 32 for number in range(40)], range(40)
    split = split_groups(single, names, {**folds, 'test': 0.2}, 0, {})
    assert Counter(split) == dict.fromkeys(folds, 8)


def test_folds_that_were_divided_before_stay():
    fractions = {'fold1': 0.4, 'fold2': 0.4, 'test': 0.2}
    units, labels = draw_groups([5] * 20)
    before = dict(zip(units, split_groups(units, labels, fractions, 0, {}), strict=True))
    more_units, more_labels = draw_groups([5] * 20 + [9] * 8)
    after = split_groups(more_units, more_labels, fractions, 0, before)
    assert {u: s for u, s in zip(more_units, after, strict=True) if u in before} == before


def test_another_seed_divides_groups_in_another_way():
    units, labels = draw_groups([10] * 30)
    one, other = (split_groups(units, labels, {'a': 0.5, 'b': 0.5}, seed, {}) for seed in (0, 1))
    assert one != other


def test_groups_that_were_divided_before_stay_where_they_were():
    units, labels = draw_groups([5] * 20)
    fractions = {'train': 0.7, 'test': 0.3}
    before = dict(zip(units, split_groups(units, labels, fractions, 0, {}), strict=True))
    more_units, more_labels = draw_groups([5] * 20 + [9] * 8)
    after = split_groups(more_units, more_labels, fractions, 0, before)
    assert {u: s for u, s in zip(more_units, after, strict=True) if u in before} == before
    newcomers = Counter(after[100:])
    assert newcomers['train'] > newcomers['test'] > 0


def test_a_part_of_what_was_divided_before_changes_nothing():
    """So it is after a conversion that was killed, and with bad images."""
    units, labels = draw_groups([5, 3, 8] * 10)
    fractions = {'train': 0.7, 'validation': 0.1, 'test': 0.2}
    whole = split_groups(units, labels, fractions, 0, {})
    before = dict(list(zip(units, whole, strict=True))[:50])
    assert split_groups(units, labels, fractions, 0, before) == whole


def test_groups_share_a_split_by_hash_as_well():
    units, _ = draw_groups([10] * 30)
    splits = split_by_hash(units, {'train': 0.8, 'test': 0.2}, 0)
    assert len({*zip(units, splits, strict=True)}) == 30
    assert set(splits) == {'train', 'test'}


def test_folds_divide_what_is_trained_on():
    assert with_folds(None, 2) == {'fold1': 0.5, 'fold2': 0.5}
    assert with_folds({'train': 0.8, 'test': 0.2}, 2) == {'fold1': 0.4, 'fold2': 0.4, 'test': 0.2}
    with pytest.raises(ConfigError, match=r'^--folds: divides train, which --splits does not give'):
        with_folds({'a': 0.5, 'b': 0.5}, 2)
    with pytest.raises(
        ConfigError, match=r'^--folds: makes the splits fold1 to fold2, so --splits'
    ):
        with_folds({'train': 0.5, 'fold7': 0.5}, 2)


def test_groups_that_a_data_set_has_torn_show():
    images = images_of('a', group='p', split='train') + images_of('b', group='p', split='test')
    assert splits_of_groups(images) == {'p': {'train', 'test'}}


def in_turns(names):
    """Images of these names, each in the class of its first folder, in train and test in turns."""
    classes = sorted({name.split('/')[0] for name in names})
    return [
        LabelledImage(
            name, classes.index(name.split('/')[0]), 'path', 1, ('train', 'test')[number % 2]
        )
        for number, name in enumerate(names)
    ]


SERIES, SHOTS = range(10, 22), range(1, 5)


@pytest.mark.parametrize(
    'name',
    [
        'ill/p{}_{}.jpg',
        'a/scan{}-{}.png',
        'a/b7 {} ({}).jpg',
        'a/2024.{}.{}.jpg',
        'a/person{}_bacteria_{}.jpeg',
        'a/0000{}_{:06}.jpg',
        'a/frame_{}_{:06}.jpg',
        # The folder of a video, or a patient, below that of the class.
        'a/video{}/frame_{:04}.jpg',
        'a/video{}/{:06}.jpg',
        # A burst has the same minute.
        'a/2024-01-01_12-{}-0{}.jpg',
    ],
)
def test_names_with_a_stem_and_a_counter_are_a_series(name):
    names = [name.format(series, shot) for series in SERIES for shot in SHOTS]
    assert len(find_series(in_turns(names))) == len(SERIES)


@pytest.mark.parametrize('folders', [('train', 'test'), ('data/seg_train', 'data/seg_test')])
def test_series_in_splits_of_the_data_set_are_found_below_their_folders(folders):
    names = [f'ill/p{series}_{shot}.jpg' for series in SERIES for shot in SHOTS]
    images = [
        dataclasses.replace(image, filename=f'{folders[image.split == "test"]}/{image.filename}')
        for image in in_turns(names)
    ]
    assert find_series(images) == [f'ill/p{series}' for series in SERIES]


def test_a_patient_whose_images_are_of_two_classes_is_a_series_too():
    names = [f'{name}/p{series}_{shot}.jpg' for name in 'ab' for series in SERIES for shot in SHOTS]
    assert len(find_series(in_turns(names))) == 2 * len(SERIES)


@pytest.mark.parametrize(
    'name',
    [
        'class{0}/rose_{1:03}.jpg',
        'class{0}/{1:05}.jpg',
        '{0}/{1}.jpg',
        'class{0}/DSC_{1:04}.JPG',
        'class{0}/ISIC_00{0}{1:03}.jpg',
        'class{0}/{1:08x}.jpg',
        # ImageNet, Stanford Dogs, Caltech: what the class is called stands before the counter.
        'n01440{0}/n01440{0}_{1}.JPEG',
        'n020856{0}-Chihuahua/n020856{0}_{1}.jpg',
        '0{0}.ak47/0{0}_{1:04}.jpg',
        'class{0}/ILSVRC2012_val_{0}{1:04}.JPEG',
        # A camera, a year or a day in each class.
        'class{0}/IMG_2024_{1:04}.jpg',
        'class{0}/IMG_202401{0}_12{1:04}.jpg',
        'class{0}/IMG-202401{0}-WA{1:04}.jpg',
        'class{0}/2024-01-{0}_{1:04}.jpg',
        'class{0}/550e8400-e29b-41d4-a716-4466{0}{1:06}.jpg',
    ],
)
def test_a_number_behind_the_name_of_a_class_a_camera_or_a_day_is_no_series(name):
    names = [name.format(number, shot) for number in range(10, 22) for shot in range(60)]
    assert find_series(in_turns(names)) == []


def test_photos_of_many_days_are_no_series():
    names = [
        f'{name}/IMG_202401{day}_{hour}{shot:04}.jpg'
        for name, hour in (('cat', 12), ('dog', 13))
        for day in range(10, 30)
        for shot in range(5)
    ]
    assert find_series(in_turns(names)) == []


def test_folders_that_hold_parts_of_all_classes_are_no_series():
    images = [
        LabelledImage(f'part{number}/{shot:04}.jpg', shot % 3, 'path', 1, ('a', 'b')[shot % 2])
        for number in range(10)
        for shot in range(30)
    ]
    assert find_series(images) == []


def test_a_few_series_among_many_images_alone_say_nothing():
    names = [*(f'cat/{number}.jpg' for number in range(60)), 'cat/p1_1.jpg', 'cat/p1_2.jpg']
    assert find_series(in_turns(names)) == []


def test_copies_that_roboflow_made_are_a_series_however_few():
    names = [f'cat/a_jpg.rf.{letter * 32}.jpg' for letter in 'ab']
    assert find_series(in_turns([*names, 'cat/b.jpg', 'cat/c.jpg'])) == ['cat/a_jpg']


def test_a_series_within_one_split_is_as_it_should_be():
    names = [f'p{series}_{shot}.jpg' for series in range(10, 16) for shot in range(4)]
    images = [
        LabelledImage(name, 0, 'path', 1, 'train' if name < 'p13' else 'test') for name in names
    ]
    assert find_series(images) == []
