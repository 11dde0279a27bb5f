"""What a run knows beside its options: the classes of its data, and which run it is."""

import dataclasses

import pytest

from library.config.fields import options_of
from library.config.hparams import HParams, Value
from library.config.yaml_sets import Written
from library.errors import ConfigError, MismatchError
from library.records.listing import Listing
from library.records.manifest import Manifest, Shard
from library.runs.metadata import RunFacts, with_facts, with_known_facts
from library.runtime.options import ProcessOptions


def data_of(*names):
    counts = {name: number + 1 for number, name in enumerate(names)}
    shard = Shard('train-00000-of-00001.tfrecord', sum(counts.values()), 0, '')
    return Manifest(names, counts, (shard,), folder='data/train')


def saved(**texts):
    return {name: Written(text, 'run/hparams.yaml:3') for name, text in texts.items()}


@pytest.fixture
def hparams():
    options = [*options_of(ProcessOptions), *options_of(RunFacts)]
    return HParams({each.name: Value(each.default, 'default', each) for each in options})


def test_the_classes_are_those_of_the_data(hparams):
    facts = with_facts(hparams, None, data_of('cat', 'dog'), training=True)
    assert facts.class_names == ('cat', 'dog')
    assert facts.origin('class_names') == 'data/train'


def test_the_training_images_are_counted_in_the_order_of_labels(hparams):
    facts = with_facts(hparams, None, data_of('owl', 'cat'), training=True)
    assert facts.train_examples == 3
    assert facts.examples_per_class == (1, 2)


def test_a_run_remembers_how_its_images_are_stored(hparams):
    data = dataclasses.replace(data_of('cat'), options={'max_edge': 384, 'quality': 90})
    facts = with_facts(hparams, None, data, training=True)
    assert (facts.stored_max_edge, facts.stored_quality) == (384, 90)


def test_images_that_were_not_converted_are_stored_as_they_are(hparams):
    facts = with_facts(hparams, None, Listing(('cat',), (), folder='photos'), training=True)
    assert (facts.stored_max_edge, facts.stored_quality) == (None, None)


def test_a_run_is_known_without_its_data(hparams):
    known = hparams.with_values('run', class_names=('cat',), train_features='a')
    facts = with_known_facts(known, saved(run_id='abc'))
    assert (facts.class_names, facts.run_id, facts.train_features) == (('cat',), 'abc', None)


def test_a_run_that_kept_no_classes_needs_its_data(hparams):
    with pytest.raises(MismatchError, match=r'hparams\.yaml does not name the classes'):
        with_known_facts(hparams, None)


def test_what_is_evaluated_counts_as_no_training_images(hparams):
    facts = with_facts(hparams, None, data_of('owl', 'cat'), training=False)
    assert (facts.train_examples, facts.examples_per_class) == (0, ())


def test_features_of_an_earlier_start_are_not_those_of_this_one(hparams):
    before = hparams.with_values('run', train_features='a', eval_features='b')
    facts = with_facts(before, None, data_of('cat'), training=False)
    assert (facts.train_features, facts.eval_features) == (None, None)


def test_every_new_run_has_another_id(hparams):
    ids = {with_facts(hparams, None, data_of('cat'), training=True).run_id for _ in range(10)}
    assert len(ids) == 10
    assert '' not in ids


def test_a_run_that_goes_on_keeps_its_id(hparams):
    before = saved(class_names=('cat', 'dog'), run_id='abc')
    assert with_facts(hparams, before, data_of('cat', 'dog'), training=True).run_id == 'abc'


def test_a_saved_run_without_facts_gets_them(hparams):
    facts = with_facts(hparams, saved(learning_rate='1'), data_of('cat'), training=True)
    assert facts.class_names == ('cat',)
    assert facts.run_id


def test_a_run_of_other_classes_is_refused_with_both_lists(hparams):
    with pytest.raises(MismatchError) as caught:
        with_facts(
            hparams, saved(class_names=('cat', 'dog')), data_of('cat', 'dog', 'owl'), training=True
        )
    assert str(caught.value) == (
        'out/current/checkpoints: trained on 2 classes (cat, dog), but data/train holds 3 '
        '(cat, dog, owl)'
    )


def test_classes_in_another_order_are_other_classes(hparams):
    with pytest.raises(MismatchError):
        with_facts(hparams, saved(class_names=('cat', 'dog')), data_of('dog', 'cat'), training=True)


def test_of_many_classes_five_are_named(hparams):
    names = tuple(f'c{n}' for n in range(9))
    with pytest.raises(MismatchError, match=r'9 classes \(c0, c1, c2, c3, c4 \.\.\.\)'):
        with_facts(hparams, saved(class_names=names), data_of('cat'), training=True)


def test_a_fact_that_cannot_be_read_names_its_line(hparams):
    with pytest.raises(ConfigError, match=r'run/hparams\.yaml:3: a list was given'):
        with_facts(hparams, saved(run_id=('a', 'b')), data_of('cat'), training=True)
