"""Levels of folders to classes and splits: read as they are meant, or refused with the way on."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pytest

from library.errors import DataError
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.preparation.sources.folder import Folder
from library.records.listing import SPLIT_NAMES, Remark
from library.records.manifest import Manifest
from tests.library.preparation.sources.test_folder import labels, listed, write
from tests.library.preparation.sources.trees import grow


def told(listing):
    return [remark.text for remark in listing.remarks]


def counted(listing):
    return Counter((image.split, listing.class_names[image.label]) for image in listing.images)


@pytest.mark.parametrize('seed', range(40))
def test_a_tree_is_read_as_it_was_grown(tmp_path, seed):
    tree = grow(tmp_path / 'photos', seed)
    listing = listed(tmp_path / 'photos', '../elsewhere', known=())
    assert counted(listing) == +tree.images
    numbered = all(name.isdigit() for name in tree.class_names)
    expected = sorted(tree.class_names, key=int if numbered else None)
    assert listing.class_names == tuple(expected)
    skipped = [text for text in told(listing) if text.startswith('skipped')]
    assert sum(int(count) for text in skipped for count in re.findall(r'(\d+) [@_.$Ththl]', text))
    assert len(skipped) == bool(tree.tools)
    read = [text for text in told(listing) if text.startswith('read as: ')]
    plain = ('', *SPLIT_NAMES)
    assert len(read) == any(each.lower() not in plain for each in tree.containers)
    for container in tree.containers:
        assert not read or f'{container}/CLASS'.lstrip('/') in read[0]


def test_the_grammar_grows_every_kind_of_tree(tmp_path):
    trees = [grow(tmp_path / str(seed), seed) for seed in range(40)]
    splits = {frozenset(split for split, _ in tree.images) for tree in trees}
    assert len(splits) == 4
    depths = {container.count('/') for tree in trees for container in tree.containers}
    assert {0, 1, 2, 3} <= depths
    assert sum(tree.tools > 0 for tree in trees) > 20
    assert sum(tree.containers == [''] for tree in trees) > 1
    assert any('10' in tree.class_names for tree in trees)


def test_a_folder_around_the_classes_is_told(tmp_path):
    listing = listed(write(tmp_path, 'flowers/rose/1.jpg', 'flowers/tulip/1.jpg'))
    assert listing.class_names == ('rose', 'tulip')
    assert told(listing) == ['read as: flowers/CLASS']


def refusal(tmp_path, *names, **options):
    write(tmp_path, *names)
    with pytest.raises(DataError) as caught:
        listed(tmp_path, known=(), **options)
    return str(caught.value)


def test_a_folder_that_holds_folders_alone_is_no_class_unasked(tmp_path):
    names = ('rose/1.jpg', 'tulip/red/1.jpg', 'tulip/old/1.jpg')
    assert refusal(tmp_path, *names) == (
        f'{tmp_path}: tulip holds no picture itself, only the folders old, red: are these the '
        f'classes (--dataset_dir {tmp_path}/tulip), or tulip (--classes_at 1)?'
    )
    listing = listed(tmp_path, classes_at=1)
    assert counted(listing) == {('', 'rose'): 1, ('', 'tulip'): 2}
    listing = listed(tmp_path / 'tulip', known=())
    assert listing.class_names == ('old', 'red')


def test_several_folders_of_folders_name_both_levels(tmp_path):
    names = ('animals/cat/1.jpg', 'animals/dog/1.jpg', 'cars/bus/1.jpg')
    assert refusal(tmp_path, *names) == (
        f'{tmp_path}: animals, cars hold no pictures themselves, only the folders bus, cat, dog: '
        f'are these the classes (--classes_at 2), or animals, cars (--classes_at 1)?'
    )
    assert listed(tmp_path, classes_at=1).class_names == ('animals', 'cars')
    assert listed(tmp_path, classes_at=2).class_names == ('bus', 'cat', 'dog')


def test_within_splits_levels_count_from_the_root(tmp_path):
    names = ('train/cat/a/1.jpg', 'train/dog/b/1.jpg', 'test/cat/a/1.jpg')
    message = refusal(tmp_path, *names)
    assert 'are these the classes (--classes_at 3)' in message
    assert message.endswith('or test/cat, train/cat, train/dog (--classes_at 2)?')
    listing = listed(tmp_path, classes_at=2)
    assert counted(listing) == {('train', 'cat'): 1, ('train', 'dog'): 1, ('test', 'cat'): 1}


def test_a_class_that_another_split_makes_certain_may_hold_folders_alone(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'train/dog/1.jpg', 'test/cat/front/1.jpg')
    assert counted(listed(tmp_path)) == {
        ('train', 'cat'): 1,
        ('train', 'dog'): 1,
        ('test', 'cat'): 1,
    }


def test_folders_of_a_test_split_that_are_no_classes_are_never_new_ones(tmp_path):
    message = refusal(
        tmp_path, 'train/cat/1.jpg', 'train/dog/1.jpg', 'test/part1/1.jpg', 'test/part2/1.jpg'
    )
    assert message.startswith(
        f'{tmp_path}/test: is named after a split, but holds none of the classes in train, only 2 '
        f'pictures without a class; without them: --dataset_dir {tmp_path}/train --splits'
    )


def test_splits_that_are_to_be_made_need_no_other(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'train/dog/1.jpg', 'test/1.jpg')
    output = Output(str(tmp_path / 'out'), None, ('train', 'test'))
    listing = Folder(SourceOptions(dataset_dir=str(tmp_path)), output).listing()
    assert counted(listing) == {('train', 'cat'): 1, ('train', 'dog'): 1}


def test_a_test_split_alone_is_one(tmp_path):
    listing = listed(write(tmp_path, 'test/cat/1.jpg', 'test/dog/1.jpg'))
    assert (listing.splits, listing.class_names) == (('test',), ('cat', 'dog'))


@pytest.mark.parametrize(
    ('folders', 'named'),
    [
        (('train_1', 'train_2', 'test'), 'test, train_1, train_2'),
        (('training', 'train', 'test'), 'test, train, training'),
    ],
)
def test_two_folders_of_one_split_are_refused(tmp_path, folders, named):
    names = [f'{folder}/{name}/1.jpg' for folder in folders for name in ('cat', 'dog')]
    expected = f'{tmp_path}: two folders of one split among {named}; to take them '
    expected += 'together: --classes_at 2'
    assert refusal(tmp_path, *names) == expected
    # With the level of the classes given they are one.
    assert listed(tmp_path, classes_at=2).splits == ('train', 'test')


def test_masks_beside_splits_are_neither_classes_nor_splits(tmp_path):
    names = [f'{split}/{name}/1.jpg' for split in ('train', 'test') for name in ('cat', 'dog')]
    message = refusal(tmp_path, *names, 'train_masks/cat/1.png', 'test_masks/cat/1.png')
    assert message.endswith('beside them test_masks, which is none; move it away')


def test_folders_without_pictures_beside_splits_are_no_matter(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'test/cat/1.jpg', 'test_labels/1.txt', 'docs/a/b.pdf')
    listing = listed(tmp_path)
    assert (listing.splits, listing.examples) == (('train', 'test'), 2)
    assert listing.ignored == ('docs/a/b.pdf', 'test_labels/1.txt')


def test_a_class_may_be_empty_in_one_split_and_not_in_all(tmp_path):
    write(tmp_path, 'train/cat/1.jpg', 'train/dog/1.jpg', 'val/cat/1.jpg')
    (tmp_path / 'val' / 'dog').mkdir()
    assert listed(tmp_path).class_names == ('cat', 'dog')
    for split in ('train', 'val'):
        (tmp_path / split / 'cow').mkdir()
    message = refusal(tmp_path)
    expected = (
        f'{tmp_path}/train/cow: the class folder holds no images; if it is none: --classes_at 2'
    )
    assert message == expected
    assert listed(tmp_path, classes_at=2).class_names == ('cat', 'dog')


@pytest.mark.parametrize(('level', 'names'), [(1, ('a', 'd')), (2, ('b', 'e')), (3, ('c', 'f'))])
def test_any_level_can_be_that_of_the_classes(tmp_path, level, names):
    write(tmp_path, 'a/b/c/1.jpg', 'a/b/c/2.jpg', 'd/e/f/1.jpg')
    listing = listed(tmp_path, classes_at=level, known=())
    assert (listing.class_names, listing.examples) == (names, 3)


def test_pictures_above_the_level_of_the_classes_are_told_and_count_where_they_are_most(tmp_path):
    write(tmp_path, 'a/1.jpg', 'a/2.jpg', 'a/x/1.jpg', 'b/x/1.jpg', 'b/y/1.jpg')
    listing = listed(tmp_path, classes_at=2)
    assert counted(listing) == {('', 'x'): 2, ('', 'y'): 1}
    ignored = [f'ignored (not an image of a class): a/{number}.jpg' for number in range(1, 15)]
    assert told(listing) == ['read as: a/CLASS, b/CLASS', *ignored[:2]]
    listing = listed(write(tmp_path, *(f'a/{number}.jpg' for number in range(3, 15))), classes_at=2)
    assert told(listing)[1:-1] == [
        *sorted(ignored)[:10],
        'ignored: 4 more beside the class folders',
    ]
    assert listing.remarks[-1] == Remark(
        'warning: 14 pictures beside the class folders, left out', bad=14
    )


def test_folders_without_images_on_the_level_of_the_classes_are_left_out_and_told(tmp_path):
    names = [f'{split}/images/{name}/1.jpg' for split in ('train', 'val') for name in ('a', 'b')]
    (tmp_path / 'train' / 'labels' / 'c').mkdir(parents=True)
    message = refusal(tmp_path, *names, 'train/labels/a/1.txt')
    assert 'are these the classes (--classes_at 3)' in message
    listing = listed(tmp_path, classes_at=3)
    assert counted(listing) == {
        (split, name): 1 for split in ('train', 'validation') for name in ('a', 'b')
    }
    assert listing.ignored == ('train/labels/a/1.txt', 'train/labels/c: no images')


def test_splits_within_the_classes_are_named(tmp_path):
    names = [f'{name}/{split}/1.jpg' for split in ('train', 'test') for name in ('cat', 'dog')]
    assert refusal(tmp_path, *names) == (
        f'{tmp_path}: cat, dog hold no pictures themselves, only the splits test, train: move the '
        f'classes into folders of splits (SPLIT/CLASS), or take all together (--classes_at 1)'
    )


def test_a_known_class_is_no_folder_around_others(tmp_path):
    write(tmp_path, 'cat/front/1.jpg', 'cat/side/1.jpg')
    assert listed(tmp_path, known=()).class_names == ('front', 'side')
    assert listed(tmp_path, known=('cat', 'dog')).class_names == ('cat',)
    write(tmp_path, 'all/train/cat/a/1.jpg', 'all/train/cat/b/1.jpg', 'all/val/cat/a/1.jpg')
    assert listed(tmp_path / 'all', known=('cat', 'dog')).class_names == ('cat',)


def test_a_level_without_images_is_refused(tmp_path):
    expected = f'{tmp_path}: no folder with images on level 3 (--classes_at)'
    assert refusal(tmp_path, 'a/b/1.jpg', 'c/d/1.jpg', classes_at=3) == expected


def test_what_lies_beside_splits_is_mixed_with_none_of_them(tmp_path):
    names = [f'{split}/{name}/1.jpg' for split in ('train', 'test', 'odd') for name in ('a', 'b')]
    assert listed(write(tmp_path, *names), classes_at=2).splits == ('train', 'test', 'odd')


def test_archives_in_a_folder_without_anything_else_are_to_be_unpacked(tmp_path):
    (tmp_path / 'train.zip').write_bytes(b'PK\x03\x04')
    (tmp_path / 'test.bin').write_bytes(b'Rar!\x1a\x07\x01\x00')
    message = refusal(tmp_path, 'notes.txt')
    assert message.endswith('CLASS/IMAGE.jpg); unpack first: test.bin, train.zip')


def test_a_table_beside_the_pictures_is_the_way_on(tmp_path):
    message = refusal(tmp_path, '1.jpg', '2.jpg', 'labels.csv')
    expected = 'or give a table that names the class of each '
    expected += f'(--dataset_dir {tmp_path}/labels.csv)'
    assert message.endswith(expected)


def test_two_forms_of_one_name_are_one_class_and_told(tmp_path):
    forms = [unicodedata.normalize(form, 'café') for form in ('NFC', 'NFD')]
    write(tmp_path, f'train/{forms[0]}/1.jpg', f'test/{forms[1]}/1.jpg', 'train/bar/1.jpg')
    listing = listed(tmp_path)
    assert listing.class_names == ('bar', forms[0])
    assert set(labels(listing).values()) == {0, 1}
    assert f'{forms[0]}: written in two Unicode forms, taken for one class' in told(listing)


NUMBERS = [str(number) for number in range(12)]


def test_numbered_classes_are_in_the_order_of_the_numbers(tmp_path):
    write(tmp_path, *(f'{name}/1.jpg' for name in NUMBERS))
    assert listed(tmp_path).class_names == tuple(NUMBERS)


@pytest.mark.parametrize('more', [(), ('12', '100')])
@pytest.mark.parametrize('order', [None, int])
def test_numbered_classes_keep_the_order_of_an_older_conversion(tmp_path, order, more):
    before = tuple(sorted(NUMBERS, key=order))
    (tmp_path / 'out').mkdir()
    old = Manifest(before, dict.fromkeys(before, 0), ())
    (tmp_path / 'out' / 'train.json').write_text(old.to_json())
    write(tmp_path / 'photos', *(f'{name}/1.jpg' for name in [*NUMBERS, *more]))
    listing = listed(tmp_path / 'photos', '../out')
    assert listing.class_names == tuple(sorted([*NUMBERS, *more], key=order))


def test_an_accent_keeps_the_form_of_an_older_conversion(tmp_path):
    before = ('bar', unicodedata.normalize('NFD', 'café'))
    (tmp_path / 'out').mkdir()
    old = Manifest(before, dict.fromkeys(before, 0), ())
    (tmp_path / 'out' / 'train.json').write_text(old.to_json())
    write(tmp_path / 'photos', 'bar/1.jpg', f'{before[1]}/1.jpg')
    assert listed(tmp_path / 'photos', '../out').class_names == before
    assert listed(tmp_path / 'photos').class_names != before


def test_whoever_gave_the_folder_is_answered_in_the_words_of_that_option(tmp_path):
    write(tmp_path, 'rose/1.jpg', 'tulip/red/1.jpg', 'tulip/old/1.jpg')
    options = SourceOptions(dataset_dir=str(tmp_path))
    with pytest.raises(DataError) as caught:
        Folder(options, Output('', None), '--eval_metadata').listing()
    assert str(caught.value).endswith(
        f'(--eval_metadata {tmp_path}/tulip), or tulip (convert_dataset.py --classes_at 1)?'
    )
