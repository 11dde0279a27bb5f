"""A wrong name leads to the right one, and to none where a guess would mislead."""

from __future__ import annotations

import pytest

import convert_dataset
import run
from library.suggestions import NO_OPTION, SYNONYMS, nearest_or_all, option_suggestion, suggestion

pytestmark = pytest.mark.unit

TRAINING, CONVERSION = set(run.CATALOG.by_name), set(convert_dataset.CATALOG.by_name)


def test_the_nearest_name_is_suggested():
    assert suggestion('batchsize', ['batch_size', 'model']) == "; did you mean 'batch_size'?"


def test_nothing_is_suggested_where_nothing_is_near():
    assert suggestion('zzz', ['batch_size', 'model']) == ''


def test_a_choice_that_resembles_none_leads_to_all():
    assert nearest_or_all('zzz', ['hub', 'simple']) == ' (there are hub, simple)'


@pytest.mark.parametrize('name', SYNONYMS)
def test_each_synonym_leads_to_an_option_of_a_program_that_lacks_its_own_name(name):
    assert any(
        option_suggestion(name, options) == f'; did you mean {meant!r}?'
        for options in (TRAINING, CONVERSION)
        if name not in options
        for meant in SYNONYMS[name]
        if meant in options
    )
    assert set(SYNONYMS[name]) <= TRAINING | CONVERSION


@pytest.mark.parametrize(
    ('name', 'of_training', 'of_conversion'),
    [
        ('lr', 'learning_rate', None),
        ('seed', 'random_seed', 'random_seed'),
        ('output_dir', 'model_dir', 'tfrecord_dir'),
        ('learningrate', 'learning_rate', None),
        ('verbse', 'verbose', 'verbose'),
        ('dropout', 'dropout_rate', None),
    ],
)
def test_each_program_suggests_its_own_option(name, of_training, of_conversion):
    for options, meant in ((TRAINING, of_training), (CONVERSION, of_conversion)):
        expected = f'; did you mean {meant!r}?' if meant else ''
        assert option_suggestion(name, options) == expected


def test_words_that_many_options_have_make_no_guess():
    assert suggestion('test_dir', TRAINING) != ''
    assert option_suggestion('test_dir', TRAINING) == ''


@pytest.mark.parametrize('name', NO_OPTION)
def test_what_needs_no_option_is_explained(name):
    assert name not in TRAINING | CONVERSION
    assert option_suggestion(name, TRAINING) == f'; {NO_OPTION[name]}'
