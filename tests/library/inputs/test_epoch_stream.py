"""Records to an endless stream of epochs, whole or in shards."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import tensorflow as tf

from library.errors import ConfigError
from library.inputs.epoch_stream import (
    parallel_interleave,
    read_shard,
    repeat_epochs,
)
from library.inputs.sharding import FILES_PER_SHARD, InputShard

EXAMPLES = 40


def shuffled_shard(shards):
    def one_shard(epoch, shard_index):
        records = tf.data.Dataset.range(EXAMPLES)
        records = records.shuffle(EXAMPLES, epoch + 7, reshuffle_each_iteration=False)
        return records.shard(shards, shard_index)

    return one_shard


def batches_of(first=0, shards=1):
    """Batches of (numbers, records), with work behind them as a real chain has."""
    dataset = repeat_epochs(shuffled_shard(shards), EXAMPLES, InputShard(1, first, shards, None))
    dataset = dataset.map(lambda number, record: (number, record), num_parallel_calls=2)
    return dataset.batch(4, drop_remainder=True)


def pairs(dataset, batches):
    """The (number, record) pairs of some batches, in the order in which they come."""
    return [
        (int(number), int(record))
        for numbers, records in itertools.islice(dataset, batches)
        for number, record in zip(numbers, records, strict=True)
    ]


@pytest.mark.parametrize('first', [0, 3, 40, 93])
def test_epochs_follow_each_other_from_any_example_on(first):
    def one_shard(epoch, shard_index):
        return tf.data.Dataset.range(4).map(lambda record: epoch * 10 + record)

    stream = repeat_epochs(one_shard, 4, InputShard(1, first, 1, None)).take(9).as_numpy_iterator()
    expected = [(number, number // 4 * 10 + number % 4) for number in range(first, first + 9)]
    assert list(stream) == expected


def test_in_a_graph_as_an_estimator_has_it_epochs_follow_each_other_too():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        stream = repeat_epochs(shuffled_shard(1), EXAMPLES, InputShard(1, 58, 1, None)).batch(30)
        numbers, records = tf.compat.v1.data.make_one_shot_iterator(stream).get_next()
        numbers, records = session.run([numbers, records])
    whole = pairs(batches_of(), 30)
    assert list(zip(numbers, records, strict=True)) == whole[58:88]


def test_the_order_of_an_epoch_does_not_depend_on_the_programs_seed():
    orders = []
    for seed in (0, 1, 2):
        tf.random.set_seed(seed)
        orders.append(pairs(batches_of(), 20))
    assert orders[0] == orders[1] == orders[2]
    assert [record for _, record in orders[0][:40]] != [record for _, record in orders[0][40:]]


@pytest.mark.parametrize('shards', [2, 3, 7])
def test_shards_together_are_an_epoch_each_record_with_the_number_of_one_stream(shards):
    whole, cut = (pairs(batches_of(shards=each), EXAMPLES // 4) for each in (1, shards))
    assert cut != whole
    assert sorted(cut) == whole


@pytest.mark.parametrize('first', [1, 17, 40, 58])
def test_shares_together_skip_what_was_fed_before(first):
    left = EXAMPLES - first % EXAMPLES
    stream = repeat_epochs(shuffled_shard(3), EXAMPLES, InputShard(1, first, 3, None)).take(left)
    numbers = sorted(int(number) for number, _ in stream)
    assert numbers == list(range(first, first + left))


# One shard for each of several pipelines.


def of_pipeline(number, pipelines, count, first=0, one_shard=None):
    """The next (number, record) pairs of one pipeline, when all were fed `first` together."""
    one_shard = one_shard or shuffled_shard(pipelines)
    stream = repeat_epochs(one_shard, EXAMPLES, InputShard(1, first, pipelines, number))
    numbers, records = next(stream.batch(count).as_numpy_iterator())
    return list(zip(numbers.tolist(), records.tolist(), strict=True))


def share_size(number, pipelines):
    return len(range(number, EXAMPLES, pipelines))


@pytest.mark.parametrize('pipelines', [1, 2, 3, 7])
def test_pipelines_together_see_each_record_of_each_epoch_once(pipelines):
    whole, epochs = pairs(batches_of(), 3 * EXAMPLES // 4), 3
    fed = [
        of_pipeline(number, pipelines, epochs * share_size(number, pipelines))
        for number in range(pipelines)
    ]
    # The number of a record tells its epoch.
    assert sorted(itertools.chain(*fed)) == whole
    for number, stream in enumerate(fed):
        size = share_size(number, pipelines)
        orders = [stream[start : start + size] for start in range(0, epochs * size, size)]
        assert all(
            pair[0] // EXAMPLES == epoch for epoch, order in enumerate(orders) for pair in order
        )
        assert len({tuple(record for _, record in order) for order in orders}) == epochs


def test_a_pipeline_alone_sees_what_a_stream_of_all_shares_is():
    assert of_pipeline(0, 1, 80, first=17) == pairs(batches_of(17), 20)


@pytest.mark.parametrize('pipelines', [2, 3, 7])
def test_a_resumed_pipeline_goes_on_after_what_it_was_fed(pipelines):
    # Each step feeds as much to every pipeline, also where the shards differ by one.
    for number in range(pipelines):
        whole = of_pipeline(number, pipelines, 50 + 45)
        for fed in (1, 14, 50):
            rest = of_pipeline(number, pipelines, 45, first=fed * pipelines)
            assert rest == whole[fed : fed + 45], fed


@pytest.mark.parametrize('pipelines', [2, 3])
def test_uneven_shares_make_no_number_twice_and_are_gone_on_with_about_where_they_were(pipelines):
    def one_shard(epoch, shard_index):
        # Of 40 records the first shard has 31, the second 9, the third none; then they change.
        bounds = tf.constant([0, 31, 40, 40], tf.int64)
        part = (shard_index + epoch) % pipelines
        return tf.data.Dataset.range(bounds[part], bounds[part + 1])

    fed = [of_pipeline(each, pipelines, 200, one_shard=one_shard) for each in range(pipelines)]
    numbers = [number for stream in fed for number, _ in stream]
    assert len(set(numbers)) == len(numbers) == 200 * pipelines
    # After as many epochs as there are pipelines each of them has seen every record once.
    for stream in fed:
        records = [record for _, record in stream[:EXAMPLES]]
        assert sorted(records) == list(range(EXAMPLES))
    for number in range(pipelines):
        rest = of_pipeline(number, pipelines, 45, 80 * pipelines, one_shard)
        assert set(rest) <= set(fed[number][80 - EXAMPLES : 80 + 2 * EXAMPLES])


@pytest.mark.parametrize('number', range(4))
def test_more_pipelines_than_records_are_refused_by_each_of_them(number):
    # A shard without records would be looked into for ever.
    with pytest.raises(ConfigError, match=r'3 training images .* among 4 workers'):
        repeat_epochs(shuffled_shard(4), 3, InputShard(1, 0, 4, number))


def test_as_many_pipelines_as_records_see_one_record_each():
    streams = [
        repeat_epochs(
            lambda epoch, shard_index: tf.data.Dataset.range(3).shard(3, shard_index),
            3,
            InputShard(1, 0, 3, w),
        )
        for w in range(3)
    ]
    fed = [[(int(number), int(record)) for number, record in each.take(3)] for each in streams]
    assert fed == [[(w + 3 * epoch, w) for epoch in range(3)] for w in range(3)]


@pytest.fixture
def files(tmp_path):
    def write(count):
        paths = [str(tmp_path / f'{number}.tfrecord') for number in range(count)]
        for path in paths:
            with tf.io.TFRecordWriter(path) as writer:
                for record in range(6):
                    writer.write(f'{Path(path).stem}:{record}'.encode())
        return paths

    return write


@pytest.mark.parametrize('count', [1, 2, 3 * FILES_PER_SHARD, 3 * FILES_PER_SHARD + 2])
@pytest.mark.parametrize('shards', [1, 3])
def test_each_record_belongs_to_one_shard(files, count, shards):
    paths = files(count)
    parts = [
        list(read_shard(paths, 5, 2, shard_index, shards).as_numpy_iterator())
        for shard_index in range(shards)
    ]
    assert all(parts)
    whole = list(read_shard(paths, 5, 2, 0, 1).as_numpy_iterator())
    assert len(whole) == 6 * count
    assert sorted(itertools.chain(*parts)) == sorted(whole)


def test_with_many_files_no_file_is_read_for_two_shards(files):
    paths = files(2 * FILES_PER_SHARD)
    parts = [
        {
            record.split(b':')[0]
            for record in read_shard(paths, 5, 2, shard_index, 2).as_numpy_iterator()
        }
        for shard_index in range(2)
    ]
    assert not parts[0] & parts[1]


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
    read = values(parallel_interleave(tf.data.Dataset.from_tensor_slices(paths), 1))
    assert read == [f'{shard}:{record}' for shard in range(3) for record in range(40)]


def test_several_files_at_a_time_are_mixed_and_each_record_comes_once(tmp_path):
    paths = write_shards(tmp_path, 3, 40)
    read = values(parallel_interleave(tf.data.Dataset.from_tensor_slices(paths), 3))
    assert sorted(read) == sorted(f'{s}:{r}' for s in range(3) for r in range(40))
    assert {value[0] for value in read[:48]} == {'0', '1', '2'}


def test_interleaving_gives_the_same_order_every_time(tmp_path):
    paths = write_shards(tmp_path, 4, 30)
    first, second = (values(read_shard(paths, 7, 4, 0, 1)) for _ in range(2))
    assert first == second


def test_a_seed_gives_the_shards_an_order_of_its_own(tmp_path):
    paths = write_shards(tmp_path, 8, 1)
    orders = [values(read_shard(paths, seed, 1, 0, 1)) for seed in (1, 1, 2, 3)]
    assert all(sorted(order) == [f'{shard}:0' for shard in range(8)] for order in orders)
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) == 3
