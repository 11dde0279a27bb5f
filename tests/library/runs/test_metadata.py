"""What a run knows beside its options: the classes of its data, and which run it is."""

import dataclasses

import pytest

from library.config.fields import options_of
from library.config.yaml_sets import Written
from library.errors import ConfigError, MismatchError
from library.records.listing import Listing
from library.records.manifest import Manifest, Shard
from library.runs.metadata import (
    RunMetadata,
    kept,
    kept_metadata,
    metadata_of,
    metadata_without_data,
    unknown_storage,
)


def data_of(*names):
    counts = {name: number + 1 for number, name in enumerate(names)}
    shard = Shard('train-00000-of-00001.tfrecord', sum(counts.values()), 0, '')
    return Manifest(names, counts, (shard,), folder='data/train')


def saved(**texts):
    return {name: Written(text, 'run/hparams.yaml:3') for name, text in texts.items()}


def found(data, before=None, training=True):
    return metadata_of('run', before, data, training)


def test_the_classes_are_those_of_the_data():
    facts = found(data_of('cat', 'dog'))
    assert facts.class_names == ('cat', 'dog')
    assert facts.origin('class_names') == 'data/train'


def test_the_training_images_are_counted_in_the_order_of_labels():
    facts = found(data_of('owl', 'cat'))
    assert facts.train_examples == 3
    assert facts.examples_per_class == (1, 2)


def test_a_run_remembers_how_its_images_are_stored():
    data = dataclasses.replace(data_of('cat'), options={'max_edge': 384, 'quality': 90})
    facts = found(data)
    assert (facts.stored_max_edge, facts.stored_quality) == (384, 90)


def test_images_that_were_not_converted_are_stored_encoding_of():
    facts = found(Listing(('cat',), (), folder='photos'))
    assert (facts.stored_max_edge, facts.stored_quality) == (None, None)


def test_a_run_is_known_without_its_data():
    facts = metadata_without_data(
        'run', saved(run_id='abc', class_names=('cat',), train_features='a')
    )
    assert (facts.class_names, facts.run_id, facts.train_features) == (('cat',), 'abc', None)


def test_a_run_that_kept_no_classes_needs_its_data():
    with pytest.raises(MismatchError, match=r'hparams\.yaml does not name the classes'):
        metadata_without_data('run', None)


def test_what_is_evaluated_counts_as_no_training_images():
    facts = found(data_of('owl', 'cat'), training=False)
    assert (facts.train_examples, facts.examples_per_class) == (0, ())


def test_features_of_an_earlier_start_are_not_those_of_this_one():
    before = saved(train_features='a', eval_features='b')
    facts = found(data_of('cat'), before, training=False)
    assert (facts.train_features, facts.eval_features) == (None, None)


def test_every_new_run_has_another_id():
    ids = {found(data_of('cat')).run_id for _ in range(10)}
    assert len(ids) == 10
    assert '' not in ids


def test_a_run_that_goes_on_keeps_its_id():
    before = saved(class_names=('cat', 'dog'), run_id='abc')
    assert found(data_of('cat', 'dog'), before).run_id == 'abc'


def test_a_saved_run_without_facts_gets_them():
    facts = found(data_of('cat'), saved(learning_rate='1'))
    assert facts.class_names == ('cat',)
    assert facts.run_id


def test_a_run_of_other_classes_is_refused_with_both_lists():
    with pytest.raises(MismatchError) as caught:
        found(data_of('cat', 'dog', 'owl'), saved(class_names=('cat', 'dog')))
    assert str(caught.value) == (
        'run: trained on 2 classes (cat, dog), but data/train holds 3 (cat, dog, owl)'
    )


def test_classes_in_another_order_are_other_classes():
    with pytest.raises(MismatchError):
        found(data_of('dog', 'cat'), saved(class_names=('cat', 'dog')))


def test_of_many_classes_five_are_named():
    names = tuple(f'c{n}' for n in range(9))
    with pytest.raises(MismatchError, match=r'9 classes \(c0, c1, c2, c3, c4 \.\.\.\)'):
        found(data_of('cat'), saved(class_names=names))


def test_a_fact_that_cannot_be_read_names_its_line():
    with pytest.raises(ConfigError, match=r'run/hparams\.yaml:3: a list was given'):
        found(data_of('cat'), saved(run_id=('a', 'b')))


def test_what_a_run_kept_comes_with_its_line_and_nothing_else_has_an_origin():
    run = kept_metadata(saved(run_id='abc', train_examples='12', learning_rate='1'))
    assert (run.run_id, run.train_examples, run.class_names) == ('abc', 12, ())
    origins = {name: each.origin for name, each in run.entries().items()}
    kept = dict.fromkeys(('run_id', 'train_examples'), 'run/hparams.yaml:3')
    assert origins == dict.fromkeys(origins, 'default') | kept
    assert kept_metadata(None).entries()['run_id'].origin == 'default'


def test_one_value_is_read_with_the_type_of_its_option():
    (names, *_) = options_of(RunMetadata)
    assert kept(saved(class_names=('owl', 'jay')), names) == ('owl', 'jay')
    assert kept({}, names) is None
    assert kept(None, names) is None


def test_a_run_that_does_not_know_how_its_images_are_stored_says_what_to_add():
    text = unknown_storage('run', kept_metadata(saved(run_id='abc')))
    assert text.startswith('run/hparams.yaml does not say how the training images were stored')
    assert unknown_storage('run', kept_metadata(saved(stored_max_edge='384'))) == ''


def test_an_unknown_name_is_no_metadata():
    with pytest.raises(AttributeError):
        _ = kept_metadata(None).class_name
