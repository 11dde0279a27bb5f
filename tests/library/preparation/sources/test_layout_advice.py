"""Folders that are refused: the option that the message names is typed, and gives what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from library.errors import DataError
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.preparation.sources.folder import Folder
from tests.library.preparation.sources.test_folder import listed, write
from tests.library.preparation.sources.test_layouts import counted, refusal, told


def advised(message):
    """The options in a message: --classes_at to its level, other flags to their paths."""
    levels = [int(level) for level in re.findall(r'--classes_at (\d+)', message)]
    paths = re.findall(r"--dataset_dir ('[^']*'|[^ ,;)]+)", message)
    return levels, [shlex.split(path)[0] for path in paths]


def in_classes(prefixes, names=('cat', 'dog')):
    return [f'{prefix}/{name}/1.jpg' for prefix in prefixes for name in names]


def test_every_level_that_could_be_classes_is_named_and_none_of_one_name(tmp_path):
    names = [
        f'{kind}/SOB/{name}/p1/{zoom}/1.jpg'
        for kind, name in (('benign', 'fibroma'), ('malignant', 'ductal'))
        for zoom in ('40X', '100X')
    ]
    message = refusal(tmp_path, *names)
    assert message.endswith(
        'only the folders SOB: are ductal, fibroma the classes (--classes_at 3), 100X, 40X the '
        'classes (--classes_at 5), or benign, malignant (--classes_at 1)?'
    )
    found = [listed(tmp_path, classes_at=level).class_names for level in advised(message)[0]]
    assert found == [('ductal', 'fibroma'), ('100X', '40X'), ('benign', 'malignant')]


def test_classes_that_hold_one_folder_of_one_name_are_the_only_ones(tmp_path):
    message = refusal(tmp_path, 'train/n01/images/1.jpg', 'train/n02/images/1.jpg')
    assert message.endswith(
        'folders images: are train/n01, train/n02 the classes (--classes_at 2)?'
    )
    assert listed(tmp_path, classes_at=2).class_names == ('n01', 'n02')


def test_variants_of_the_same_classes_can_be_taken_one_alone(tmp_path):
    message = refusal(tmp_path / 'plant village', *in_classes(['color', 'gray', 'cut']))
    levels, (path,) = advised(message)
    assert levels == [2, 1]
    assert counted(listed(Path(path))) == {('', 'cat'): 1, ('', 'dog'): 1}
    message = refusal(tmp_path / 'office', *in_classes(['amazon/images', 'webcam/images']))
    assert counted(listed(Path(advised(message)[1][0]))) == {('', 'cat'): 1, ('', 'dog'): 1}


def test_a_folder_beside_annotations_is_named_to_its_end(tmp_path):
    message = refusal(tmp_path, *in_classes(['images/Images']), 'annotations/cat/1.xml')
    assert advised(message) == ([], [f'{tmp_path}/images/Images'])
    assert listed(tmp_path / 'images/Images').class_names == ('cat', 'dog')


def test_splits_beside_annotations_are_named_as_splits(tmp_path):
    message = refusal(tmp_path, *in_classes(['data/train', 'data/test']), 'docs/1.txt')
    assert message.endswith(
        f'only the splits test, train: give it alone (--dataset_dir {tmp_path}/data)'
    )
    assert listed(tmp_path / 'data').splits == ('train', 'test')


def test_splits_within_objects_are_given_one_object_alone(tmp_path):
    objects = [f'{name}/{split}' for name in ('bottle', 'cable') for split in ('train', 'test')]
    message = refusal(tmp_path, *in_classes([*objects, 'bottle/masks'], ('good', 'bad')))
    assert 'only the splits test, train: give one of them alone' in message
    # Not the level of the splits: they are no classes.
    assert advised(message) == ([1], [f'{tmp_path}/bottle'])


def test_what_is_trained_on_comes_first_and_a_table_above_it_is_named(tmp_path):
    message = refusal(tmp_path, 'train/cat.0.jpg', 'train/dog.0.jpg', 'test/1.jpg', 'labels.csv')
    assert message.startswith(f'{tmp_path}/train: is named after a split, but holds no class')
    assert advised(message) == ([1], [f'{tmp_path}/labels.csv'])
    assert listed(tmp_path, classes_at=1).class_names == ('test', 'train')


@pytest.mark.parametrize('folder', ['train', 'images'])
def test_one_folder_of_all_images_is_told_the_table_beside_it(tmp_path, folder):
    message = refusal(tmp_path, f'{folder}/1.jpg', f'{folder}/2.jpg', 'train.csv', 'test.csv')
    assert advised(message) == ([1], [f'{tmp_path}/test.csv', f'{tmp_path}/train.csv'])


def test_splits_that_stand_within_a_folder_beside_the_same_splits_can_be_given(tmp_path):
    splits = ['train', 'test', 'xray/train', 'xray/test']
    levels, (path,) = advised(refusal(tmp_path, *in_classes(splits)))
    assert (levels, path) == ([], f'{tmp_path}/xray')
    assert listed(Path(path)).examples == 4


@pytest.mark.parametrize('inside', [(), ('val/labels.csv',)])
def test_a_split_without_any_image_can_be_left_out(tmp_path, inside):
    (tmp_path / 'val').mkdir()
    message = refusal(tmp_path, *in_classes(['train', 'test']), *inside)
    assert message.startswith(f'{tmp_path}/val: is named after a split, but holds no class folders')
    assert message.endswith('; --classes_at 2 leaves it out')
    assert listed(tmp_path, classes_at=2).splits == ('train', 'test')


def test_at_a_level_too_a_split_without_a_class_of_train_makes_no_new_ones(tmp_path):
    names = [f'train/{name}/images/1.jpg' for name in ('n01', 'n02')]
    write(tmp_path, *names, 'val/images/1.jpg', 'val/images/2.jpg', 'test/images/1.jpg')
    listing = listed(tmp_path, classes_at=2, known=())
    assert counted(listing) == {('train', 'n01'): 1, ('train', 'n02'): 1}
    assert 'warning: val: 2 pictures without a class, left out' in told(listing)


@pytest.mark.parametrize(
    ('train', 'test'), [('Cat', 'cat'), ('alarm clock', 'alarm_clock'), ('00007', '7')]
)
def test_one_class_that_splits_write_in_two_ways_is_refused(tmp_path, train, test):
    names = [f'train/{train}/1.jpg', f'test/{test}/1.jpg', 'train/bus/1.jpg', 'test/bus/1.jpg']
    message = refusal(tmp_path, *names)
    assert f'train/{train}' in message
    assert f'test/{test}' in message
    assert message.endswith(
        ': one class in two spellings? Rename one folder; if they are two classes: --classes_at 2'
    )
    assert listed(tmp_path, classes_at=2).class_names == tuple(sorted({train, test, 'bus'}))


def test_classes_of_nearly_one_name_are_told_where_one_split_has_both(tmp_path):
    listing = listed(write(tmp_path, 'train/A/1.jpg', 'train/a/1.jpg', 'test/a/1.jpg', '+/1.txt'))
    assert listing.class_names == ('A', 'a')
    assert 'taken for different classes: A, a' in told(listing)


def test_signs_are_different_names(tmp_path):
    listing = listed(write(tmp_path, '+/1.jpg', '-/1.jpg', '_/1.jpg', '=/1.jpg'))
    assert told(listing) == []


def test_an_empty_class_says_what_it_holds(tmp_path):
    write(tmp_path / 'zip', 'cat/1.jpg', 'bus/1.jpg')
    (tmp_path / 'zip' / 'dog').mkdir()
    (tmp_path / 'zip' / 'dog' / 'dog.zip').write_bytes(b'PK\x03\x04')
    assert refusal(tmp_path / 'zip').endswith('1 other file: 1 .zip; unpack first: dog.zip')
    names = [f'dog/{number}.mp4' for number in range(3)]
    message = refusal(tmp_path / 'video', 'cat/1.jpg', 'bus/1.jpg', *names)
    assert message.endswith('no images, only 3 other files: 3 .mp4; if it is none: --classes_at 1')


def test_a_link_that_may_be_a_class_is_told_however_many_files_are_beside_it(tmp_path):
    write(tmp_path, 'cat/1.jpg', 'dog/1.jpg', *(f'{number}.txt' for number in range(20)))
    (tmp_path / 'zebra').symlink_to(tmp_path / 'cat')
    line = 'ignored (not an image of a class): zebra: symbolic link (see --follow_symlinks)'
    assert line in told(listed(tmp_path))


def test_who_evaluates_is_never_sent_to_what_is_trained_on(tmp_path):
    write(tmp_path, *in_classes(['train']), 'test/1.jpg')
    options = SourceOptions(dataset_dir=str(tmp_path))
    with pytest.raises(DataError) as caught:
        Folder(options, Output('', None), '--eval_metadata').listing()
    way = f'convert_dataset.py --dataset_dir {tmp_path}/train --splits train=0.8,test=0.2'
    assert str(caught.value).endswith(way)


@pytest.mark.parametrize(
    'names', [('images', 'masks'), ('Image', 'Label'), ('ham_part_1', 'ham_part_2'), ('img', 'gt')]
)
def test_names_that_no_classes_have_are_asked_about(tmp_path, names):
    message = refusal(tmp_path, *in_classes(['.'], names))
    assert f'{", ".join(sorted(names))} do not look like classes: make folders' in message
    assert advised(message)[0] == [1]
    assert listed(tmp_path, classes_at=1).class_names == tuple(sorted(names))
    assert listed(tmp_path, known=names).class_names == tuple(sorted(names))


def test_one_class_may_have_such_a_name(tmp_path):
    write(tmp_path, *in_classes(['.'], ('photo', 'drawing', 'batch_1')))
    assert listed(tmp_path).class_names == ('batch_1', 'drawing', 'photo')


def table_of(tmp_path, labels):
    """Write six images in two folders, and a table with their labels."""
    names = [f'{folder}/{number}' for folder in ('a', 'b') for number in range(3)]
    for name in names:
        write(tmp_path, f'{name.replace("/", "/" + name[0])}.jpg')
    rows = (f'{name.replace("/", "")},{label}' for name, label in zip(names, labels, strict=True))
    (tmp_path / 'labels.csv').write_text('\n'.join(['id,label', *rows]))


def test_a_table_that_cuts_across_the_folders_is_asked_about(tmp_path):
    table_of(tmp_path, 'xyxyxy')
    with pytest.raises(DataError) as caught:
        listed(tmp_path)
    message = str(caught.value)
    assert 'labels.csv puts these images into the classes x, y, the folders into a, b: ' in message
    assert advised(message) == ([1], [f'{tmp_path}/labels.csv'])
    assert listed(tmp_path, classes_at=1).class_names == ('a', 'b')


@pytest.mark.parametrize(
    ('name', 'head', 'row'),
    [
        ('labels.tsv', 'id\tlabel', '{}\t{}'),
        ('labels.jsonl', '', '{{"file_name": "{}.jpg", "label": "{}"}}'),
        ('labels.ndjson', '', '{{"file_name": "{}.jpg", "label": "{}"}}'),
        ('labels.csv', 'id,x,y', '{},{}'),
    ],
)
def test_every_kind_of_table_may_cut_across_the_folders(tmp_path, name, head, row):
    table_of(tmp_path, 'xyxyxy')
    rows = (tmp_path / 'labels.csv').read_text().splitlines()[1:]
    (tmp_path / 'labels.csv').unlink()
    flags = {'x': '1,0', 'y': '0,1'}
    cells = (each.split(',') for each in rows)
    lines = [row.format(i, flags[c] if 'x' in head else c) for i, c in cells]
    (tmp_path / name).write_text('\n'.join([head] * bool(head) + lines))
    with pytest.raises(DataError) as caught:
        listed(tmp_path)
    assert f'{name} puts these images into the classes x, y, the folders' in str(caught.value)


@pytest.mark.parametrize('labels', ['000111', '012345', 'xxxxxx', 'wwxzzz'])
def test_a_table_with_the_same_finer_or_coarser_classes_is_none_against_the_folders(
    tmp_path, labels
):
    table_of(tmp_path, labels)
    assert listed(tmp_path).class_names == ('a', 'b')


@pytest.mark.parametrize('text', ['', 'id,label\n', 'a0,x', 'id,label\nz9,x\nz8,y', 'id;"'])
def test_a_table_about_something_else_does_not_matter(tmp_path, text):
    table_of(tmp_path, 'xyxyxy')
    (tmp_path / 'labels.csv').write_text(text)
    assert listed(tmp_path).class_names == ('a', 'b')


def test_masks_beside_their_pictures_are_no_pictures_of_the_class(tmp_path):
    names = [f'{name}/{n}{end}.png' for name in ('a', 'b') for n in '12' for end in ('', '_mask')]
    listing = listed(write(tmp_path, *names))
    refused = {
        i.filename: i.content.reason for i in listing.images if not isinstance(i.content, str)
    }
    assert refused == {
        f'{c}/{n}_mask.png': f'named as the mask of {n}.png' for c in 'ab' for n in '12'
    }
