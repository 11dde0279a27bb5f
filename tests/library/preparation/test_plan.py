"""Images of one split to shards, before anything is decoded."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import random
import re

import pytest

from library.errors import ConfigError
from library.preparation import plan
from library.preparation.encoding_options import EncodingOptions
from library.preparation.formats import FORMATS
from library.preparation.output import Target
from library.preparation.plan import plan_shards
from library.records.listing import LabelledImage, Unusable
from library.records.shards import shard_names

TARGET = Target('/data', 'train')
CLASSES = ('cat', 'dog')


def sha256(text):
    return hashlib.sha256(os.fsencode(text)).digest()


def images_of(count, size=1000):
    return [LabelledImage(f'{number:03}.jpg', number % 2, 'path', size) for number in range(count)]


def planned(images, *, digests=None, classes=CLASSES, encoding=None, num_shards=None, seed=0):
    digests = digests or [sha256(image.filename) for image in images]
    return plan_shards(
        TARGET,
        images,
        digests,
        classes,
        encoding or EncodingOptions(64),
        num_shards=num_shards,
        seed=seed,
    )


def names(shards):
    return [[image.filename for image in shard.images] for shard in shards]


def inputs(shards):
    return [shard.inputs for shard in shards]


def changed(one, image=None, **options):
    """How many of the shards of `one` another image, or another option, makes anew."""
    images = list(one)
    if image is not None:
        images[0] = image
    others = planned(images, num_shards=4, **options)
    pairs = zip(inputs(planned(one, num_shards=4)), inputs(others), strict=True)
    return sum(a != b for a, b in pairs)


def test_each_image_is_in_one_shard_with_its_digest():
    shards = planned(images_of(23), num_shards=4)
    assert [shard.name for shard in shards] == shard_names('train', 4)
    found = [image for shard in shards for image in shard.images]
    assert sorted(found, key=lambda image: image.filename) == images_of(23)
    for shard in shards:
        assert shard.digests == tuple(sha256(image.filename) for image in shard.images)
        assert (shard.target, shard.class_names) == (TARGET, CLASSES)


@pytest.mark.parametrize(('count', 'lengths'), [(1, [18]), (5, [4, 4, 3, 4, 3]), (18, [1] * 18)])
def test_shards_are_of_even_length(count, lengths):
    assert [len(shard.images) for shard in planned(images_of(18), num_shards=count)] == lengths


def test_the_order_in_which_images_are_listed_does_not_matter():
    images = images_of(50)
    one = planned(images, num_shards=3)
    random.Random(0).shuffle(images)
    assert planned(images, num_shards=3) == one


def test_images_are_mixed_and_the_seed_says_how():
    one, other = (names(planned(images_of(50), num_shards=1, seed=seed)) for seed in (0, 1))
    assert one != other
    assert sorted(one[0]) == sorted(other[0]) != one[0]


def test_more_shards_than_images_are_refused():
    expected = '--num_shards 19 is more than the 18 images of train'
    with pytest.raises(ConfigError, match=f'^{re.escape(expected)}$'):
        planned(images_of(18), num_shards=19)


def test_the_number_of_shards_follows_the_size_of_the_images(monkeypatch):
    monkeypatch.setattr(plan, 'SHARD_BYTES', 5000)
    assert len(planned(images_of(20, size=1000), encoding=EncodingOptions(1000))) == 4
    # A large file is shrunk to 0.2 bytes for each pixel that it may keep.
    monkeypatch.setattr(plan, 'SHARD_BYTES', 20 * 0.2 * 16 * 16 / 3)
    assert len(planned(images_of(20, size=1_000_000), encoding=EncodingOptions(16))) == 3


def test_there_are_two_shards_at_least_but_never_more_than_images():
    assert len(planned(images_of(20))) == 2
    assert len(planned(images_of(1))) == 1


@pytest.mark.parametrize(
    'image',
    [
        LabelledImage('000.jpg', 1, 'path', 1000),
        LabelledImage('000.png', 0, 'path', 1000),
        LabelledImage('000.jpg', 0, Unusable('a link'), 1000),
    ],
)
def test_another_label_name_or_a_gap_makes_the_one_shard_anew(image):
    # The name sorts in the same place, so that no other image moves.
    assert changed(images_of(20), image) == 1


def test_another_content_makes_the_one_shard_anew():
    digests = [sha256(image.filename) for image in images_of(20)]
    digests[7] = sha256('another')
    assert changed(images_of(20), digests=digests) == 1


def test_another_reason_for_a_gap_makes_the_one_shard_anew():
    gap = LabelledImage('000.jpg', 0, Unusable('a link'), 0)
    images = [gap, *images_of(20)[1:]]
    assert changed(images, dataclasses.replace(gap, content=Unusable('not a regular file'))) == 1


@pytest.mark.parametrize(
    'options',
    [
        {'encoding': EncodingOptions(63)},
        {'encoding': EncodingOptions(64, 79)},
        {'encoding': EncodingOptions(64, formats=FORMATS[:1])},
        {'classes': ('cat', 'dog', 'bird')},
        {'classes': ('dog', 'cat')},
    ],
)
def test_other_encoding_options_or_classes_make_all_shards_anew(options):
    assert changed(images_of(20), **options) == 4


def test_where_the_same_image_lies_changes_nothing():
    images = [dataclasses.replace(image, content='elsewhere') for image in images_of(20)]
    assert inputs(planned(images, num_shards=4)) == inputs(planned(images_of(20), num_shards=4))


def test_names_that_are_no_utf8_are_planned_too():
    image = LabelledImage(os.fsdecode(b'caf\xe9.jpg'), 0, Unusable(os.fsdecode(b'caf\xe9')), 0)
    assert len(planned([image])) == 1
