"""What a conversion says on the screen."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from library.preparation.converter import Conversion
from library.preparation.duplicates import Group
from library.preparation.output import Output
from library.preparation.summary import describe, summarize
from library.records.listing import LabelledImage, Listing, Remark
from library.records.manifest import Changed, Manifest, Rejected, Shard


def manifest(counts, *rejected, ignored=(), shards=2, reencoded=0):
    """Of classes and their counts, all in the first shard."""
    first, *others = (Shard(f'shard{n}', 0, 0, '') for n in range(shards))
    first = Shard(first.name, sum(counts.values()), 0, '', reencoded=reencoded)
    return Manifest(
        tuple(counts), counts, (first, *others), rejected=rejected, ignored=tuple(ignored)
    )


def lines(manifests, *, kept=0, duplicates=(), shared=None, removed=()):
    several = len(manifests) > 1
    output = Output('/out', None if several else next(iter(manifests)))
    shards = sum(len(each.shards) for each in manifests.values())
    done = Conversion(
        manifests, kept, shards, list(duplicates), shared or {}, list(removed), {}, []
    )
    return list(summarize(done, output, 1.25))


def group(*names, labels=(0, 0), splits=('train', 'train')):
    images = (
        LabelledImage(name, label, 'path', 1, split)
        for name, label, split in zip(names, labels, splits, strict=True)
    )
    return Group(b'\0' * 32, tuple(images))


GOOD = manifest({'cat': 3, 'dog': 1}, reencoded=2)
LAST = '4 images of 2 classes in 2 shards (2 re-encoded, 0 rejected), 1.2 s: /out/train.json'


def test_a_conversion_without_anything_to_tell_is_one_line():
    assert lines({'train': GOOD}) == [LAST]


def test_what_was_altered_is_one_line_over_all_splits():
    splits = {}
    for name in ('train', 'test'):
        changes = (
            Changed('recoloured', 206),
            Changed('broken colour profile ignored', 6, tuple(f'{n}.jpg' for n in range(6))),
        )
        first, second = manifest({'cat': 3, 'dog': 1}).shards
        shards = (dataclasses.replace(first, changes=changes), second)
        splits[name] = dataclasses.replace(GOOD, shards=shards)
    names = '0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg, 0.jpg, 1.jpg, 2.jpg, 3.jpg, ...'
    assert (
        f'colour profile broken or of other pixels, ignored: 12 ({names}); recoloured to sRGB: 412'
    ) in lines(splits)


def test_what_was_left_out_is_named():
    told = manifest({'cat': 3, 'dog': 1}, Rejected('cat/0.jpg', 'empty file'))
    assert lines({'train': told})[:-1] == ['rejected: cat/0.jpg: empty file']
    assert '1 rejected' in lines({'train': told})[-1]


def test_long_lists_are_cut_and_say_where_the_rest_is():
    rejected = (Rejected(f'{number:02}.jpg', 'empty file') for number in range(12))
    told = manifest({'cat': 3, 'dog': 1}, *rejected, ignored=[f'{n:02}.txt' for n in range(13)])
    found = lines({'train': told})
    assert found[0] == 'ignored: 13, all named in /out/train.json'
    assert found[10:12] == [
        'rejected: 09.jpg: empty file',
        'rejected: 2 more, all named in /out/train.rejected.csv',
    ]
    assert len(found) == 13


def test_each_split_says_what_it_rejected_and_ignored_files_are_named_once():
    names = [f'{number}.txt' for number in range(11)]
    manifests = {
        'train': manifest({'cat': 3, 'dog': 1}, Rejected('a', 'empty file'), ignored=names),
        'test': manifest({'cat': 1, 'dog': 1}, Rejected('b', 'empty file'), ignored=names),
    }
    assert lines(manifests)[:3] == [
        'ignored: 11, all named in /out/train/train.json',
        'rejected: a: empty file',
        'rejected: b: empty file',
    ]


def test_dropped_pictures_are_reported_as_duplicates_and_not_as_rejected():
    told = manifest({'cat': 3, 'dog': 1}, Rejected('b', 'dropped: the same picture as a'))
    found = lines({'train': told}, duplicates=[group('a', 'b')])
    assert [line for line in found if line.startswith('rejected')] == []
    assert found[0] == 'the same picture: a, b'


def test_duplicates_are_counted_by_what_they_mean():
    groups = [
        group('a', 'b'),
        group('c', 'd', splits=('train', 'test')),
        group('e', 'f', labels=(0, 1), splits=('train', 'test')),
    ]
    assert lines({'train': GOOD}, duplicates=groups)[:-1] == [
        'the same picture: a, b',
        'the same picture: c, d',
        'the same picture: e, f',
        'warning: duplicate images: 3 (2 in two splits, 1 under two '
        'labels), listed in /out/train.duplicates.csv (see --duplicates)',
    ]


def test_of_many_duplicates_the_first_are_shown():
    groups = [group(f'{n}a', f'{n}b') for n in range(12)]
    found = lines({'train': GOOD}, duplicates=groups)
    assert len([line for line in found if line.startswith('the same picture: ')]) == 10
    assert found[10].startswith('warning: duplicate images: 12 (')
    many = group(*map(str, range(12)), labels=[0] * 12, splits=['train'] * 12)
    assert lines({'train': GOOD}, duplicates=[many])[0] == (
        'the same picture: ' + ', '.join(map(str, range(10)))
    )


def test_neighbours_that_share_pictures_and_splits_that_went_are_reported():
    found = lines({'train': GOOD}, shared={'/out/../test': 7}, removed=['validation'])
    assert found[:-1] == [
        'warning: 7 of these pictures are in /out/../test too',
        'removed: validation, a split of an earlier conversion',
    ]


def test_a_class_alone_is_a_warning():
    assert lines({'train': manifest({'cat': 3})})[0] == (
        'warning: one class alone, cat: there is nothing to tell it from'
    )


def test_what_the_source_read_is_told_before_the_conversion():
    remarks = (Remark('read as: flowers/CLASS'), Remark('rose: 2 images, 3 other files: 3 .dcm', 3))
    listing = Listing(('rose',), (), remarks=remarks)
    assert list(describe(listing)) == [
        'read as: flowers/CLASS',
        'rose: 2 images, 3 other files: 3 .dcm',
    ]


def test_a_class_that_is_missing_from_a_split_is_a_warning():
    empty = manifest({'cat': 3, 'dog': 0})
    assert lines({'train': empty})[0] == 'warning: train has no image of dog'
    many = manifest({'cat': 3} | {f'c{number}': 0 for number in range(12)})
    names = ', '.join(f'c{number}' for number in range(10))
    assert lines({'train': many})[0] == (
        f'warning: train has no image of {names} and 2 more classes'
    )


def test_several_splits_are_shown_as_a_table_of_classes():
    manifests = {
        'train': manifest({'cat': 12, 'dog': 4}),
        'test': manifest({'cat': 3, 'dog': 1}),
    }
    assert lines(manifests) == [
        'class       train        test',
        'cat            12           3',
        'dog             4           1',
        'all        16 80%       4 20%',
        '16 images of 2 classes in 2 shards (0 re-encoded, 0 rejected), 1.2 s: '
        '/out/train/train.json',
        '4 images of 2 classes in 2 shards (0 re-encoded, 0 rejected), 1.2 s: /out/test/test.json',
    ]


@pytest.mark.parametrize(('classes', 'rows'), [(30, 30), (31, 30)])
def test_a_table_of_many_classes_is_cut(classes, rows):
    counts = {f'class{number:02}': 1 for number in range(classes)}
    found = lines({'train': manifest(counts), 'test': manifest(counts)})
    assert len([line for line in found if line.startswith('class') and '  ' in line]) == rows + 1
    assert ('... 1 more classes' in found) == (classes > rows)


def test_shards_that_were_kept_are_counted():
    assert lines({'train': GOOD}, kept=1)[0] == 'kept: 1 of 2 shards, made from the same images'


def test_the_folder_of_the_records_may_be_given_relatively():
    done = Conversion({'train': GOOD}, 0, 2, [], {}, [], {}, [])
    (line,) = summarize(done, Output('out', 'train'), 0.0)
    assert line.endswith(f'0.0 s: {Path("out") / "train.json"}')


@pytest.mark.parametrize(
    ('groups', 'series', 'line'),
    [
        ({'p1': {'train'}, 'p2': {'test'}}, [], 'groups: 2, each in one split'),
        (
            {'p1': {'train', 'test'}, 'p2': {'test'}},
            [],
            'warning: 1 of 2 groups are in two splits, as the data set has them: p1',
        ),
        (
            {},
            [f's{number:02d}' for number in range(11)],
            'warning: images that look like series are in two splits, so a test may measure '
            'memory: s00, s01, s02, s03, s04, s05, s06, s07, s08, s09 ... (--group_by keeps each '
            'series in one split)',
        ),
    ],
)
def test_groups_and_what_looks_like_some_are_reported(groups, series, line):
    divided = dataclasses.replace(GOOD, options={**GOOD.options, 'splits': {'train': 1.0}})
    done = Conversion({'train': divided}, 0, 2, [], {}, [], groups, series)
    assert line in list(summarize(done, Output('out', 'train'), 0.0))


def test_series_in_splits_of_the_data_set_have_no_way_on():
    done = Conversion({'train': GOOD}, 0, 2, [], {}, [], {}, ['p1'])
    assert (
        'warning: images that look like series are in two splits, so a test may measure memory: p1 '
        '(as the data set has them)'
    ) in list(summarize(done, Output('out', 'train'), 0.0))
