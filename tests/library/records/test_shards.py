"""Names of shards, and which item goes to which of them."""

import pytest

from library.records.shards import PARTIAL, is_shard_of, shard_name, shard_names, shard_of_item


def test_a_name_tells_index_and_count():
    assert shard_name('train', 3, 12) == 'train-00003-of-00012.tfrecord'


def test_one_shard_alone_is_numbered_too():
    assert shard_names('train', 1) == ['train-00000-of-00001.tfrecord']


def test_names_sort_in_the_order_of_the_shards():
    names = shard_names('train', 101)
    assert len(names) == 101
    assert names == sorted(names)


@pytest.mark.parametrize(
    'file_name',
    [
        'train-00000-of-00002.tfrecord',
        'train-00001-of-00099.tfrecord',
        f'train-00000-of-00002.tfrecord{PARTIAL}',
    ],
)
def test_shards_of_any_count_finished_or_not_belong_to_their_data_set(file_name):
    assert is_shard_of('train', file_name)


@pytest.mark.parametrize(
    'file_name',
    [
        'test-00000-of-00002.tfrecord',
        'my-train-00000-of-00002.tfrecord',
        'train-0-of-2.tfrecord',
        'train-00000-of-00002.tfrecord.gz',
        'train-00000-of-00002xtfrecord',
        'train.json',
    ],
)
def test_other_files_do_not_belong_to_the_data_set(file_name):
    assert not is_shard_of('train', file_name)


def test_a_name_is_no_pattern():
    assert is_shard_of('a.b', 'a.b-00000-of-00001.tfrecord')
    assert not is_shard_of('a.b', 'axb-00000-of-00001.tfrecord')


@pytest.mark.parametrize(('items', 'shards'), [(10, 1), (10, 3), (7, 7), (1000, 16), (2, 5)])
def test_items_go_to_consecutive_shards_evenly(items, shards):
    taken = [shard_of_item(item, items, shards) for item in range(items)]
    assert taken == sorted(taken)
    assert 0 <= taken[0] <= taken[-1] < shards
    counts = [taken.count(shard) for shard in range(shards)]
    assert sum(counts) == items
    assert max(counts) - min(counts) <= 1
