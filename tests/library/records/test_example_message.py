"""The message built in Python writes and reads what TensorFlow's tf.train.Example does."""

from __future__ import annotations

import random

import pytest
import tensorflow as tf
from google.protobuf.message import DecodeError

from library.records.example_message import example_class

pytestmark = pytest.mark.graph

NAMES = ('image/encoded', 'größe', '写真', '', 'a' * 300, 'z\0z')
EXTREMES = (0, 1, -1, 127, 128, -(2**31), 2**63 - 1, -(2**63))
FLOATS = (0.0, -0.0, 1.5, -1e-45, 3.4e38, float('inf'), float('-inf'), float('nan'))


def fill(example, seed):
    """Puts features of every kind into an example, in an order of the seed."""
    chance = random.Random(seed)
    for name in chance.sample(NAMES, chance.randrange(len(NAMES) + 1)):
        feature = example.features.feature[name]
        kind = chance.choice(('bytes_list', 'float_list', 'int64_list', None))
        if kind is None:
            continue
        count = chance.choice((0, 1, 2, 50))
        values = {
            'bytes_list': [chance.randbytes(chance.choice((0, 1, 1000))) for _ in range(count)],
            'float_list': [chance.choice((*FLOATS, chance.gauss(0, 9))) for _ in range(count)],
            'int64_list': [
                chance.choice((*EXTREMES, chance.getrandbits(40))) for _ in range(count)
            ],
        }[kind]
        getattr(feature, kind).SetInParent()
        getattr(feature, kind).value.extend(values)
    return example


@pytest.mark.parametrize('seeds', [range(500)])
def test_random_examples_have_the_bytes_that_tensorflow_gives_them(seeds):
    lengths = set()
    for seed in seeds:
        ours, theirs = fill(example_class()(), seed), fill(tf.train.Example(), seed)
        written = ours.SerializeToString(deterministic=True)
        assert written == theirs.SerializeToString(deterministic=True), seed
        again = example_class().FromString(theirs.SerializeToString())
        assert again.SerializeToString(deterministic=True) == written, seed
        lengths.add(len(written))
    assert len(lengths) > 100


def test_one_feature_holds_one_kind_of_values():
    feature = example_class()().features.feature['x']
    feature.int64_list.value.append(3)
    feature.bytes_list.value.append(b'3')
    assert feature.WhichOneof('kind') == 'bytes_list'
    assert list(feature.int64_list.value) == []


def test_what_is_no_example_is_refused():
    with pytest.raises(DecodeError):
        example_class().FromString(b'\xff\xff')
