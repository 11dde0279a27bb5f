"""Fractions of splits to the split of each image, by hash and exactly."""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections import Counter

import pytest

from library.errors import ConfigError
from library.preparation.splits import parse_fractions, split_by_hash, split_exactly

FRACTIONS = {'train': 0.8, 'validation': 0.1, 'test': 0.1}


def digests_of(count, start=0):
    """Digests as of `count` different images."""
    return [hashlib.sha256(str(number).encode()).digest() for number in range(start, start + count)]


def exactly(digests, labels, fractions=FRACTIONS, seed=0, before=None):
    return split_exactly(digests, labels, fractions, seed, before or {})


def deviations(splits, labels, fractions):
    """How far each split of each class is from its fraction, in images."""
    sizes = Counter(labels)
    counts = Counter(zip(labels, splits, strict=True))
    return [
        counts[label, name] - size * fraction
        for label, size in sizes.items()
        for name, fraction in fractions.items()
    ]


@pytest.mark.parametrize(
    ('text', 'fractions'),
    [
        ('train=0.8,test=0.2', {'train': 0.8, 'test': 0.2}),
        (' train = .8 , test = 2e-1 ', {'train': 0.8, 'test': 0.2}),
        ('all=1', {'all': 1.0}),
        ('a=0.333,b=0.333,c=0.333', {'a': 0.333, 'b': 0.333, 'c': 0.333}),
        ('train=0.8,validation=0.1,test=0.1', FRACTIONS),
    ],
)
def test_fractions_are_read(text, fractions):
    assert parse_fractions(text) == fractions


@pytest.mark.parametrize(
    'text',
    [
        'zoo=.1,test=.2,validation=.3,extra=.1,train=.3',
        'extra=.1,train=.3,val=.3,zoo=.1,Test=.2',
    ],
)
def test_fractions_come_in_the_usual_order_whatever_the_order_of_the_words(text):
    assert list(parse_fractions(text)) == ['train', 'validation', 'test', 'extra', 'zoo']


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', "expected NAME=FRACTION,NAME=FRACTION, not ''"),
        ('train', "expected NAME=FRACTION,NAME=FRACTION, not 'train'"),
        ('train=0.8,', "expected NAME=FRACTION,NAME=FRACTION, not ''"),
        ('=1', "expected NAME=FRACTION,NAME=FRACTION, not '=1'"),
        ('a/b=1', "expected NAME=FRACTION,NAME=FRACTION, not 'a/b=1'"),
        ('../b=1', "expected NAME=FRACTION,NAME=FRACTION, not '../b=1'"),
        ('a\nb=1', r"expected NAME=FRACTION,NAME=FRACTION, not 'a\nb=1'"),
        ('.b=1', "expected NAME=FRACTION,NAME=FRACTION, not '.b=1'"),
        ('auto=1', 'no split may be called auto, which --eval_split takes for another'),
        ('train=', "'' is not a number"),
        ('train=most', "'most' is not a number"),
        ('train=0.8=0.2', "'0.8=0.2' is not a number"),
        ('train=80%,test=20%', "'80%' is not a number"),
        ('train=1,test=0', 'a fraction must be above 0 and at most 1'),
        ('train=1.2,test=-0.2', 'a fraction must be above 0 and at most 1'),
        ('train=80,test=20', 'a fraction must be above 0 and at most 1'),
        ('train=nan', 'a fraction must be above 0 and at most 1'),
        ('train=0.5,train=0.5', 'train is given twice'),
        ('train=0.8,test=0.1', 'the fractions sum to 0.9, not 1'),
        ('train=0.8,test=0.3', 'the fractions sum to 1.1, not 1'),
    ],
)
def test_fractions_that_make_no_sense_are_named(text, message):
    with pytest.raises(ConfigError, match=f'^{re.escape(f"--splits {text}: {message}")}$'):
        parse_fractions(text)
    assert ConfigError.exit_code == 2


@pytest.mark.parametrize('seed', range(4))
def test_a_hash_split_keeps_its_fractions_in_expectation(seed):
    digests = digests_of(3000)
    counts = Counter(split_by_hash(digests, FRACTIONS, seed))
    for name, fraction in FRACTIONS.items():
        sigma = math.sqrt(len(digests) * fraction * (1 - fraction))
        assert abs(counts[name] - fraction * len(digests)) < 4 * sigma


def test_a_hash_split_moves_no_image_when_others_come_go_or_change_places():
    digests = digests_of(200)
    before = dict(zip(digests, split_by_hash(digests, FRACTIONS, 0), strict=True))
    others = [*digests[::3], *digests_of(100, start=1000)]
    random.Random(0).shuffle(others)
    after = dict(zip(others, split_by_hash(others, FRACTIONS, 0), strict=True))
    assert {digest: after[digest] for digest in digests[::3]} == {
        digest: before[digest] for digest in digests[::3]
    }


def test_a_hash_split_puts_equal_images_into_one_split():
    digests = digests_of(50)
    assert split_by_hash(digests + digests, FRACTIONS, 0) == 2 * split_by_hash(
        digests, FRACTIONS, 0
    )


def test_a_hash_split_depends_on_its_seed():
    digests = digests_of(100)
    assert split_by_hash(digests, FRACTIONS, 0) != split_by_hash(digests, FRACTIONS, 1)


def test_a_hash_split_leaves_nobody_out_where_the_fractions_sum_to_a_little_less():
    fractions = {'a': 0.333, 'b': 0.333, 'c': 0.333}
    assert set(split_by_hash(digests_of(5000), fractions, 0)) == {'a', 'b', 'c'}


@pytest.mark.parametrize('seed', range(20))
def test_an_exact_split_is_within_one_image_of_each_fraction_in_each_class(seed):
    dice = random.Random(seed)
    parts = [dice.random() + 0.05 for _ in range(dice.randint(2, 4))]
    fractions = {f'split{number}': part / sum(parts) for number, part in enumerate(parts)}
    labels = [label for label in range(5) for _ in range(dice.randint(1, 40))]
    splits = exactly(digests_of(len(labels)), labels, fractions, seed)
    assert max(map(abs, deviations(splits, labels, fractions))) < 1


def test_an_exact_split_does_not_depend_on_the_order_of_the_images():
    labels = [number % 7 for number in range(150)]
    images = list(zip(digests_of(150), labels, strict=True))
    one = dict(zip(images, exactly(*zip(*images, strict=True)), strict=True))
    random.Random(0).shuffle(images)
    two = dict(zip(images, exactly(*zip(*images, strict=True)), strict=True))
    assert one == two


def test_an_exact_split_depends_on_its_seed():
    labels = [0] * 100
    assert exactly(digests_of(100), labels, seed=0) != exactly(digests_of(100), labels, seed=1)


def test_an_exact_split_puts_equal_images_into_one_split_and_counts_them_once():
    digests = digests_of(20)
    splits = exactly(digests + digests, [0] * 40)
    assert splits[:20] == splits[20:]
    assert Counter(splits[:20]) == {'train': 16, 'validation': 2, 'test': 2}


@pytest.mark.parametrize('seed', range(10))
def test_images_that_were_there_before_stay_and_newcomers_restore_the_fractions(seed):
    dice = random.Random(seed)
    labels = [dice.randrange(4) for _ in range(100)]
    digests = digests_of(100)
    old = dict(zip(digests, exactly(digests, labels, seed=seed), strict=True))
    # Every class grows by half or more, so that no split has too many of it already.
    labels += [label for label in range(4) for _ in range(labels.count(label) // 2 + 5)]
    digests = digests_of(len(labels))
    splits = exactly(digests, labels, seed=seed + 1, before=old)
    assert splits[:100] == list(old.values())
    assert max(map(abs, deviations(splits, labels, FRACTIONS))) < 1


def test_a_split_that_holds_more_than_its_fraction_gets_no_newcomer():
    digests = digests_of(12)
    before = dict.fromkeys(digests[:8], 'test')
    splits = exactly(digests, [0] * 12, {'train': 0.5, 'test': 0.5}, before=before)
    assert splits == ['test'] * 8 + ['train'] * 4


def test_images_of_a_split_that_is_no_more_are_divided_anew():
    digests = digests_of(10)
    before = dict.fromkeys(digests[:5], 'holdout')
    splits = exactly(digests, [0] * 10, {'train': 0.5, 'test': 0.5}, before=before)
    assert Counter(splits) == {'train': 5, 'test': 5}


@pytest.mark.parametrize('seed', range(20))
def test_it_does_not_matter_which_newcomers_are_known_when_splits_are_assigned_again(seed):
    # Bad images are in no list of stored ones, and a killed run leaves some lists unwritten.
    dice = random.Random(seed)
    digests = digests_of(60)
    labels = [dice.randrange(3) for _ in digests]
    older = dict(zip(digests[:20], exactly(digests[:20], labels[:20]), strict=True))
    splits = exactly(digests, labels, seed=seed, before=older)
    known = older | dict(dice.sample(list(zip(digests, splits, strict=True)), 30))
    assert exactly(digests, labels, seed=seed, before=known) == splits


def test_a_class_of_one_image_goes_to_the_largest_split():
    assert exactly(digests_of(1), [0]) == ['train']


FOLDS = {**{f'fold{number}': 0.16 for number in range(1, 6)}, 'test': 0.2}


def test_folds_take_what_train_would_and_leave_the_test_split_as_it_is():
    digests, labels = digests_of(7 * 40), [number % 40 for number in range(7 * 40)]
    whole = exactly(digests, labels, {'train': 0.8, 'test': 0.2})
    folded = exactly(digests, labels, FOLDS)
    assert [split == 'test' for split in whole] == [split == 'test' for split in folded]
    sizes = Counter(folded)
    assert {sizes[name] for name in FOLDS if name != 'test'} == {48}


def test_classes_of_one_image_are_spread_over_the_folds():
    sizes = Counter(exactly(digests_of(40), range(40), FOLDS))
    assert sizes == {f'fold{number}': 8 for number in range(1, 6)}
