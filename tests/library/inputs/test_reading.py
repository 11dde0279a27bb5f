"""Shards to records."""

from __future__ import annotations

import tensorflow as tf

from library.inputs.reading import (
    list_shards,
    parallel_interleave,
)


def write_shards(folder, count, records):
    paths = []
    for shard in range(count):
        paths.append(str(folder / f'{shard}.tfrecord'))
        with tf.io.TFRecordWriter(paths[-1]) as writer:
            for record in range(records):
                writer.write(f'{shard}:{record}'.encode())
    return paths


def values(dataset):
    return [value.decode() for value in dataset.as_numpy_iterator()]


def test_one_file_at_a_time_keeps_the_stored_order(tmp_path):
    paths = write_shards(tmp_path, 3, 40)
    read = values(parallel_interleave(list_shards(paths, shuffle_seed=None), 1))
    assert read == [f'{shard}:{record}' for shard in range(3) for record in range(40)]


def test_several_files_at_a_time_are_mixed_and_each_record_comes_once(tmp_path):
    paths = write_shards(tmp_path, 3, 40)
    read = values(parallel_interleave(list_shards(paths, shuffle_seed=None), 3))
    assert sorted(read) == sorted(f'{s}:{r}' for s in range(3) for r in range(40))
    assert {value[0] for value in read[:48]} == {'0', '1', '2'}


def test_interleaving_gives_the_same_order_every_time(tmp_path):
    paths = write_shards(tmp_path, 4, 30)
    first, second = (
        values(parallel_interleave(list_shards(paths, shuffle_seed=7), 4)) for _ in range(2)
    )
    assert first == second


def test_a_seed_gives_the_shards_an_order_of_its_own(tmp_path):
    paths = write_shards(tmp_path, 8, 1)
    orders = [values(list_shards(paths, shuffle_seed=seed)) for seed in (1, 1, 2, 3)]
    assert all(sorted(order) == sorted(paths) for order in orders)
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) == 3
