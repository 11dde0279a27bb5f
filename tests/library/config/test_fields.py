"""One declaration gives type, range, choices and the words for a person."""

from dataclasses import FrozenInstanceError, dataclass

import pytest

from library.config.fields import PROJECT, Options, option, options_of


@dataclass(frozen=True)
class Sample(Options, group='things', home=PROJECT, modes=('train',)):
    """One option of each kind."""

    count: int = option(5, 'A count.', unit='pieces', low=1, high=10)
    share: float = option(0.5, 'A share.', above=0, below=1)
    switch: bool = option(False, 'A switch.')
    name: str = option('x', 'A name.')
    limit: int | None = option(None, 'A limit.', low=-1)
    kind: str = option('a', 'A kind.', choices=('a', 'b'), kept_with_run=True)
    sizes: tuple[int, ...] = option((), 'Sizes.', low=0)
    paths: tuple[str, ...] = option((), 'Paths.', commas=False)


OPTIONS = {each.name: each for each in options_of(Sample)}


@pytest.mark.parametrize(
    ('name', 'text', 'value'),
    [
        ('count', '7', 7),
        ('count', ' 7 ', 7),
        ('count', '007', 7),
        ('share', '1e-3', 0.001),
        ('share', '.5', 0.5),
        ('switch', 'true', True),
        ('switch', 'YES', True),
        ('switch', 'on', True),
        ('switch', '1', True),
        ('switch', 'no', False),
        ('switch', 'Off', False),
        ('switch', '0', False),
        ('limit', '-1', -1),
        ('limit', 'none', None),
        ('limit', 'null', None),
        ('limit', '', None),
        ('kind', 'b', 'b'),
        ('sizes', '1, 2,3', (1, 2, 3)),
        ('sizes', ('1', '2'), (1, 2)),
        ('sizes', '', ()),
        ('paths', ' a, b.jpg', (' a, b.jpg',)),
        ('paths', ('a,b', 'c'), ('a,b', 'c')),
        ('paths', 'none', ()),
    ],
)
def test_the_type_of_the_field_reads_the_text(name, text, value):
    read = OPTIONS[name].read(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize('text', ['no', 'on', '010', '1e-3', '12:30:00', 'none', ' x ', '~'])
def test_a_text_is_taken_as_it_was_written(text):
    assert OPTIONS['name'].read(text) == text


@pytest.mark.parametrize(
    ('name', 'text', 'message'),
    [
        ('count', 'many', "'many' is not a whole number"),
        ('count', '1.5', "'1.5' is not a whole number"),
        ('count', '1e3', "'1e3' is not a whole number"),
        ('count', '9' * 5000, 'is not a whole number'),
        ('count', '0', '0 is out of range, expected 1 <= value <= 10'),
        ('count', '11', '11 is out of range'),
        ('count', 'none', "'none' is not a whole number"),
        ('count', ('1', '2'), 'a list was given, expected a whole number'),
        ('share', 'half', "'half' is not a number"),
        ('share', '0', '0.0 is out of range, expected 0 < value < 1'),
        ('share', '1', '1.0 is out of range'),
        ('share', '-0.5', '-0.5 is out of range'),
        ('share', 'nan', 'nan is not a finite number'),
        ('share', 'inf', 'inf is not a finite number'),
        ('share', '-inf', '-inf is not a finite number'),
        ('share', '1e999', 'inf is not a finite number'),
        ('share', '.nan', "'.nan' is not a number"),
        ('switch', 'maybe', "'maybe' is not true or false"),
        ('limit', '-2', '-2 is out of range, expected >= -1'),
        ('kind', 'c', "'c' is not one of a, b"),
        ('sizes', '1,x', "'x' is not a whole number (or several, with commas)"),
        ('sizes', '1,-1', '-1 is out of range, expected >= 0'),
        ('name', 'a\0b', 'holds a NUL'),
    ],
)
def test_a_wrong_value_is_reported_in_a_sentence(name, text, message):
    with pytest.raises(ValueError) as caught:
        OPTIONS[name].read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ('bounds', 'text'),
    [
        ({}, ''),
        ({'low': 1}, '>= 1'),
        ({'above': 0}, '> 0'),
        ({'high': 9}, '<= 9'),
        ({'below': 1}, '< 1'),
        ({'low': 0, 'below': 1}, '0 <= value < 1'),
        ({'above': 0, 'high': 1}, '0 < value <= 1'),
    ],
)
def test_a_range_reads_as_a_person_writes_it(bounds, text):
    @dataclass(frozen=True)
    class Bounded(Options, group='g', home=PROJECT):
        size: float = option(1.0, 'Size.', **bounds)

    assert options_of(Bounded)[0].range_text == text


def test_options_come_in_the_order_of_the_fields_with_what_the_class_says():
    names = ['count', 'share', 'switch', 'name', 'limit', 'kind', 'sizes', 'paths']
    assert list(OPTIONS) == names
    count = OPTIONS['count']
    assert (count.group, count.home, count.modes) == ('things', PROJECT, ('train',))
    assert (count.default, count.help, count.unit) == (5, 'A count.', 'pieces')
    assert [name for name, each in OPTIONS.items() if each.kept_with_run] == ['kind']
    assert [name for name, each in OPTIONS.items() if each.optional] == ['limit']
    assert [name for name, each in OPTIONS.items() if each.many] == ['sizes', 'paths']


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'count': 0}, 'count: 0 is out of range'),
        ({'share': float('nan')}, 'share: nan is not a finite number'),
        ({'kind': 'z'}, "kind: 'z' is not one of a, b"),
        ({'sizes': (1, -1)}, 'sizes: -1 is out of range'),
    ],
)
def test_an_instance_that_exists_is_valid(values, message):
    with pytest.raises(ValueError, match=message):
        Sample(**values)


def test_an_instance_does_not_change():
    with pytest.raises(FrozenInstanceError):
        Sample().count = 3


def test_a_field_of_another_type_cannot_be_an_option():
    @dataclass(frozen=True)
    class Odd(Options, group='g', home=PROJECT):
        table: bytes = option(b'', 'A table.')

    with pytest.raises(TypeError, match='cannot be of type'):
        options_of(Odd)


@pytest.mark.parametrize('text', ['٣', '1_0'])
def test_only_plain_digits_are_numbers(text):
    with pytest.raises(ValueError, match='is not a whole number'):
        OPTIONS['count'].read(text)


def test_none_is_no_value_of_several():
    assert OPTIONS['sizes'].read('none') == ()
