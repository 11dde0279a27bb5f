"""Which options there are, who reads each, and when."""

from dataclasses import dataclass

import pytest

from library.config.catalog import Catalog
from library.config.fields import PROJECT, Options, option
from library.errors import ConfigError
from tests.library.config.trees import CATALOG


@dataclass(frozen=True)
class Length(Options, group='g', home=PROJECT):
    """A length in whole numbers."""

    length: int = option(1, 'How long.')


@dataclass(frozen=True)
class FineLength(Options, group='g', home=PROJECT):
    """A length of the same name and another type."""

    length: float = option(1.0, 'How long.')


def test_every_option_that_a_person_may_set_is_found_by_its_name():
    assert {'config_set', 'years', 'rate', 'title', 'height', 'needles', 'acorns'} <= set(
        CATALOG.by_name
    )


def test_an_unknown_name_brings_the_place_and_the_nearest_one():
    with pytest.raises(ConfigError) as caught:
        CATALOG.find('yeers', 'here')
    assert str(caught.value) == "here: unknown; did you mean 'years'?"


def test_two_choices_may_share_an_option_of_one_kind():
    assert CATALOG.by_name['height'].value_type is int


def test_one_name_cannot_be_declared_in_two_ways():
    catalog = Catalog((), {'model': {'a': Length, 'b': FineLength}}, {})
    with pytest.raises(TypeError, match="option 'length' is declared in two ways"):
        catalog.find('length', 'here')


def test_a_run_uses_the_options_of_its_choice_alone():
    names = [each.name for each in CATALOG.used('train', {'model': 'fir'})]
    assert 'needles' in names
    assert 'acorns' not in names


def test_options_of_one_mode_are_used_in_that_mode_alone():
    chosen = {'model': 'oak'}
    assert 'title' in [each.name for each in CATALOG.used('evaluate', chosen)]
    assert 'title' not in [each.name for each in CATALOG.used('train', chosen)]


def test_an_alias_stands_for_its_choice():
    assert CATALOG.choice('model', 'latest') == 'oak'
    assert CATALOG.choice('model', 'fir') == 'fir'


@pytest.mark.parametrize(
    ('name', 'owners'),
    [
        ('needles', '--model fir'),
        ('height', '--model fir and --model oak'),
        ('title', 'the mode evaluate'),
        ('years', ''),
    ],
)
def test_owners_are_reported_in_words(name, owners):
    assert CATALOG.owners(name) == owners


@dataclass(frozen=True)
class LongLength(Options, group='g', home=PROJECT):
    """A length of another default."""

    length: int = option(9, 'How long.')


def test_options_come_with_their_owners_and_with_defaults_that_differ():
    choices = {'a': Length, 'b': LongLength, 'c': Length}
    catalog = Catalog((LongLength,), {'model': choices}, {})
    shared = Catalog((), {'model': choices, 'size': choices}, {})
    assert [owner for _, owner in catalog.with_owners()] == ['', 'model: a and b (default 9) and c']
    assert [owner for _, owner in shared.with_owners()] == ['model: a and b (default 9) and c']
    (option_of_a, _) = shared.with_owners()[0]
    assert option_of_a.default == 1
    told = {each.name: owner for each, owner in CATALOG.with_owners()}
    assert (told['title'], told['years'], told['needles']) == ('for evaluate', '', 'model: fir')
