"""What a converted split holds, and how it is told that it is whole."""

import json
import struct

import pytest

from library.errors import DataError
from library.records.manifest import (
    Changed,
    Manifest,
    Rejected,
    Shard,
    check_same_classes,
    from_json,
)
from library.records.split_folders import open_split

SHARDS = (
    Shard('train-00000-of-00003.tfrecord', 2, 5, 'aa'),
    Shard('train-00001-of-00003.tfrecord', 0, 0, 'bb'),
    Shard('train-00002-of-00003.tfrecord', 1, 3, 'cc', inputs='dd', reencoded=1),
)


def manifest_of(**changes):
    values = {
        'class_names': ('cat', 'dög'),
        'examples_per_class': {'cat': 2, 'dög': 1},
        'shards': SHARDS,
        'options': {'max_edge': 64},
        'splits': ('train', 'test'),
        'rejected': (Rejected('cat/0.jpg', 'empty'),),
        'ignored': ('notes.txt',),
    }
    return Manifest(**{**values, **changes})


@pytest.fixture
def split(tmp_path):
    """DATA_DIR with a whole train/ split; gives DATA_DIR."""
    folder = tmp_path / 'train'
    folder.mkdir()
    for shard in SHARDS:
        (folder / shard.name).write_bytes(b'x' * shard.bytes)
    (folder / 'train.json').write_text(manifest_of().to_json())
    return tmp_path


def refusal(kind, *args):
    with pytest.raises(kind) as caught:
        open_split(*args)
    return str(caught.value)


def test_a_manifest_read_back_is_the_same():
    manifest = manifest_of(folder='data/train')
    assert from_json(manifest.to_json(), 'data/train/train.json') == manifest


def changed_shard(name, *changes):
    return Shard(name, 2, 5, 'aa', changes=tuple(changes))


def test_what_was_altered_is_added_up_over_the_shards_and_read_back():
    names = tuple(f'{number}.jpg' for number in range(20))
    manifest = manifest_of(
        shards=(
            changed_shard('a', Changed('broken', 20, names), Changed('turned', 3)),
            changed_shard('b', Changed('broken', 30, names), Changed('recoloured', 1)),
        ),
        examples_per_class={'cat': 4},
    )
    shown = (*names, *names)[: Changed.NAMED]
    assert len(shown) == Changed.NAMED
    total = (Changed('broken', 50, shown), Changed('recoloured', 1), Changed('turned', 3))
    assert manifest.changes == total
    text = manifest.to_json()
    assert json.loads(text)['changes'] == {'broken': 50, 'recoloured': 1, 'turned': 3}
    assert from_json(text, 'train.json').changes == total


def test_a_manifest_of_an_earlier_version_says_nothing_of_what_was_altered():
    content = json.loads(manifest_of().to_json())
    del content['changes']
    for shard in content['shards']:
        del shard['changes']
    read = from_json(json.dumps(content), 'train.json')
    assert (read.shards, read.changes) == (SHARDS, ())


def test_the_folder_is_not_written():
    assert 'data/train' not in manifest_of(folder='data/train').to_json()


def test_the_same_content_gives_the_same_text():
    assert manifest_of().to_json() == manifest_of(folder='elsewhere').to_json()


def test_class_names_that_are_no_utf_8_survive():
    manifest = manifest_of(class_names=('c\udce9t', 'dog'))
    assert from_json(manifest.to_json().encode(), 'train.json').class_names == ('c\udce9t', 'dog')


def test_examples_are_those_of_all_shards():
    assert manifest_of().examples == 3


def test_shards_without_records_are_not_read():
    assert manifest_of(folder='data').shard_paths == [
        'data/train-00000-of-00003.tfrecord',
        'data/train-00002-of-00003.tfrecord',
    ]


def broken(**changes):
    return json.dumps({**json.loads(manifest_of().to_json()), **changes})


@pytest.mark.parametrize(
    'text',
    [
        '',
        '{',
        '[]',
        'null',
        '{}',
        b'\xff\xfe',
        '[' * 100_000,
        broken(format='other'),
        broken(version=2),
        broken(shards=[{'name': 'x'}]),
        broken(shards=['x']),
        broken(class_names=None),
        broken(options=None),
        broken(examples=4),
        broken(shards=[{'name': 'x', 'examples': '3', 'bytes': 1, 'sha256': ''}]),
    ],
)
def test_what_is_no_manifest_is_refused_by_name(text):
    with pytest.raises(DataError, match=r'^data/train\.json: not a manifest of converted images'):
        from_json(text, 'data/train.json')


def test_a_whole_split_opens(split):
    manifest = open_split(str(split), 'train')
    assert manifest.class_names == ('cat', 'dög')
    assert manifest.folder == str(split / 'train')
    assert manifest.shard_paths[0] == str(split / 'train' / SHARDS[0].name)


def test_a_shard_that_the_manifest_does_not_name_is_refused(split):
    path = split / 'train' / 'train-00000-of-00002.tfrecord'
    path.touch()
    (split / 'train' / 'notes.tfrecord').touch()
    assert refusal(DataError, str(split), 'train') == (
        f'{path}: a shard that the manifest does not name; remove it, or convert the images again'
    )


def test_images_that_were_encoded_anew_are_counted_over_all_shards():
    assert manifest_of().reencoded == 1


def test_a_missing_shard_is_named(split):
    path = split / 'train' / SHARDS[2].name
    path.unlink()
    assert refusal(DataError, str(split), 'train').startswith(f'{path}: the shard is missing')


@pytest.mark.parametrize('size', [0, 4, 6])
def test_a_shard_of_another_size_is_named_with_both_sizes(split, size):
    path = split / 'train' / SHARDS[0].name
    path.write_bytes(b'x' * size)
    message = refusal(DataError, str(split), 'train')
    assert message.startswith(f'{path}: {size} bytes, but 5 were written')


def test_a_shard_that_was_cut_is_refused_wherever_the_cut_is(tmp_path):
    record = struct.pack('<Q', 7) + b'\0' * 4 + b'a photo' + b'\0' * 4
    whole = record * 50
    shard = Shard('train-00000-of-00001.tfrecord', 50, len(whole), '')
    path = tmp_path / 'train' / shard.name
    path.parent.mkdir()
    (tmp_path / 'train' / 'train.json').write_text(manifest_of(shards=(shard,)).to_json())
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        message = refusal(DataError, str(tmp_path), 'train')
        assert message.startswith(f'{path}: {size} bytes, but {len(whole)} were written')
    path.write_bytes(whole)
    assert open_split(str(tmp_path), 'train').examples == 50


def test_two_data_sets_in_one_folder_are_refused(split):
    (split / 'train' / 'other.json').write_text(manifest_of().to_json())
    assert refusal(DataError, str(split), 'train') == (
        f'{split}/train: two data sets in one folder (other.json, train.json); keep one'
    )


def test_a_data_set_without_images_is_refused(split):
    empty = manifest_of(shards=(SHARDS[1],), examples_per_class={'cat': 0, 'dög': 0})
    (split / 'train' / 'train.json').write_text(empty.to_json())
    for shard in (SHARDS[0], SHARDS[2]):
        (split / 'train' / shard.name).unlink()
    assert refusal(DataError, str(split), 'train') == (
        f'{split}/train: the data set holds no images'
    )


def test_a_damaged_manifest_is_refused(split):
    path = split / 'train' / 'train.json'
    path.write_text(path.read_text()[:-20])
    assert refusal(DataError, str(split), 'train').startswith(f'{path}: not a manifest')


def test_json_files_and_folders_of_others_do_not_disturb(split):
    (split / 'train' / 'notes.json').write_text('{"my": "notes"}')
    (split / 'train' / 'folder.json').mkdir()
    assert open_split(str(split), 'train').examples == 3


def test_splits_of_the_same_classes_go_together():
    check_same_classes(manifest_of(), manifest_of(folder='other'))


def test_splits_of_different_classes_are_refused_with_what_differs():
    one = manifest_of(folder='data/train', class_names=('cat', 'dog', 'fox'))
    other = manifest_of(folder='data/test', class_names=('cat', 'owl'))
    with pytest.raises(DataError) as caught:
        check_same_classes(one, other)
    assert str(caught.value) == (
        'data/train and data/test hold different classes: '
        'dog, fox only in the first, owl only in the second; '
        'convert both with the same --labels'
    )


def test_the_same_classes_in_another_order_are_refused():
    with pytest.raises(DataError, match='number the same classes in another order; convert both'):
        check_same_classes(manifest_of(class_names=('a', 'b')), manifest_of(class_names=('b', 'a')))


def test_of_many_different_classes_five_are_named():
    many = manifest_of(class_names=tuple(f'c{n}' for n in range(9)))
    with pytest.raises(DataError, match=r'c0, c1, c2, c3, c4 \.\.\. only in the first, none only'):
        check_same_classes(many, manifest_of(class_names=()))
