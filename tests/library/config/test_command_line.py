"""argv to a mode and written values, and the text of --help."""

import dataclasses
import re
from dataclasses import dataclass

import pytest

from library.config.command_line import help_text, parse
from library.config.fields import COMMAND_LINE, Options, option
from library.config.yaml_sets import Written
from library.errors import ConfigError
from tests.library.config.trees import CATALOG

MODES = ['train', 'evaluate']


@pytest.fixture
def read():
    def call(*words):
        return parse(words, CATALOG, MODES)

    return call


@pytest.fixture
def texts(read):
    def call(*words):
        return {name: written.text for name, written in read(*words).values.items()}

    return call


@pytest.fixture
def refusal(read):
    def call(*words):
        with pytest.raises(ConfigError) as caught:
            read(*words)
        return str(caught.value)

    return call


def test_the_first_word_is_the_mode(read):
    assert read('evaluate', '--years', '3').mode == 'evaluate'


def test_the_first_mode_is_the_default(read):
    assert read('--years', '3').mode == 'train'
    assert read().mode == 'train'


def test_an_unknown_mode_brings_the_nearest_one(refusal):
    assert refusal('evaluat') == "unknown mode 'evaluat'; did you mean 'evaluate'?"


def test_an_unknown_mode_far_from_all_brings_all(refusal):
    assert refusal('xyz') == "unknown mode 'xyz' (there are train, evaluate)"


@dataclass(frozen=True)
class Hikes(Options, group='hikes', home=COMMAND_LINE, modes=('evaluate',)):
    """Where to go."""

    trails: tuple[str, ...] = option((), 'Trails to walk.', positional=True)


@pytest.mark.parametrize(
    ('words', 'text'),
    [
        (['--trails', 'a,b', 'c'], ('a', 'b', 'c')),
        (['--trails=a, b'], 'a, b'),
        (['--trails', 'none'], 'none'),
        (['--trails', 'a', '--trails', 'b', '--trails=c, d'], ('a', 'b', 'c', 'd')),
        (['x,y', '--trails', 'a', '--years', '3', 'z'], ('x,y', 'a', 'z')),
        (['--trails=a', 'x'], ('a', 'x')),
    ],
)
def test_flags_and_words_of_several_values_add_up(words, text):
    catalog = dataclasses.replace(CATALOG, always=(*CATALOG.always, Hikes))
    assert parse(['evaluate', *words], catalog, MODES).values['trails'].text == text


@pytest.mark.parametrize(
    'words', [['--trails'], ['--trails='], ['--trails', ''], ['--trails', '--years', '3']]
)
def test_several_values_are_at_least_one(words):
    catalog = dataclasses.replace(CATALOG, always=(*CATALOG.always, Hikes))
    with pytest.raises(ConfigError) as refused:
        parse(['evaluate', *words], catalog, MODES)
    assert str(refused.value) == (
        '--trails needs a value: a text (or several, with commas); for no value, none'
    )


@dataclass(frozen=True)
class Journey(Options, group='journey', home=COMMAND_LINE):
    """From where to where."""

    start: str | None = option(None, 'Where it starts.', positional=True)
    end: str | None = option(None, 'Where it ends.', positional=True)


@pytest.fixture
def journey():
    """Reads words of a program without modes."""
    catalog = dataclasses.replace(CATALOG, always=(*CATALOG.always, Journey))

    def call(*words):
        values = parse(words, catalog).values
        return {name: values[name].text for name in ('start', 'end') if name in values}

    return call


def test_words_fill_options_of_one_value_in_the_order_of_their_declaration(journey):
    assert journey('oslo', 'rome') == {'start': 'oslo', 'end': 'rome'}
    assert journey('--years', '3', 'oslo', 'rome') == journey('oslo', 'rome')
    assert journey('--end', 'rome', '--start', 'oslo') == journey('oslo', 'rome')
    assert journey() == {}
    assert journey('--end', 'rome') == {'end': 'rome'}


@pytest.mark.parametrize(
    'words', [['oslo'], ['oslo', '--end', 'rome'], ['--end', 'rome', 'oslo'], ['--start=x', 'oslo']]
)
def test_words_and_flags_of_such_options_are_not_mixed(journey, words):
    with pytest.raises(ConfigError) as refused:
        journey(*words)
    assert str(refused.value) == (
        "'oslo': give START END as words, or --start and --end, not one of each"
    )


def test_more_words_than_options_and_words_like_flags_are_stray(journey):
    for words, stray in ((('oslo', 'rome', 'bonn'), 'bonn'), (('-v', 'oslo', 'rome'), '-v')):
        with pytest.raises(ConfigError, match=f"^stray word '{stray}' on the command line$"):
            journey(*words)


def test_help_names_the_words():
    catalog = dataclasses.replace(CATALOG, always=(*CATALOG.always, Journey))
    assert help_text('go', '', catalog).startswith('usage: go [START END] [--OPTION VALUE]')


def test_words_without_a_flag_are_values_of_the_option_that_takes_them():
    catalog = dataclasses.replace(CATALOG, always=(*CATALOG.always, Hikes))
    line = parse(['evaluate', 'north', '--years', '3', 'south'], catalog, MODES)
    assert line.values['trails'].text == ('north', 'south')
    assert line.values['years'].text == '3'


def test_in_other_modes_they_are_stray():
    catalog = dataclasses.replace(CATALOG, always=(*CATALOG.always, Hikes))
    with pytest.raises(ConfigError, match="stray word 'north' on the command line"):
        parse(['train', 'north'], catalog, MODES)


def test_a_program_without_modes_takes_no_first_word():
    with pytest.raises(ConfigError, match="stray word 'train' on the command line"):
        parse(['train'], CATALOG)


def test_the_mode_is_looked_for_in_the_first_place_only(refusal):
    assert refusal('--xla', 'evaluate') == (
        "stray word 'evaluate' on the command line; the mode comes first"
    )


def test_a_value_that_looks_like_a_mode_stays_a_value(read):
    command_line = read('train', '--folder', 'evaluate')
    assert command_line.mode == 'train'
    assert command_line.values['folder'] == Written('evaluate', 'command line')


def test_a_value_is_the_next_word_or_follows_the_equals_sign(texts):
    assert texts('--years', '3', '--rate=0.5') == {'years': '3', 'rate': '0.5'}


def test_a_value_may_hold_an_equals_sign_or_be_empty(texts):
    assert texts('--folder=a=b', '--title=') == {'folder': 'a=b', 'title': ''}


@pytest.mark.parametrize('value', ['-5', '-1e-3', '-x', '-', '--', ' no ', 'ünïcode', '\udce9'])
def test_a_value_is_taken_verbatim_even_if_negative(texts, value):
    assert texts('--folder', value) == {'folder': value}


def test_hyphens_stand_for_underscores(texts):
    assert texts('--config-set', 'a-b', '--hyperparameter-set=c-d') == {
        'config_set': 'a-b',
        'hyperparameter_set': 'c-d',
    }


@pytest.mark.parametrize(
    ('word', 'text'),
    [
        ('--xla', 'true'),
        ('--no_xla', 'false'),
        ('--no-xla', 'false'),
        ('--xla=false', 'false'),
        ('--xla=on', 'on'),
        ('--no_watered', 'false'),
    ],
)
def test_a_switch_takes_no_separate_value(texts, word, text):
    read = texts(word, '--years', '3')
    assert read.pop('years') == '3'
    assert list(read.values()) == [text]


def test_a_switch_does_not_eat_the_next_word(refusal):
    assert refusal('--xla', 'false') == (
        "stray word 'false' on the command line; write --FLAG=false"
    )


@pytest.mark.parametrize('word', ['--no_years', '--no-years', '--no_xla=true', '--no_rate=5'])
def test_only_a_flag_without_a_value_can_be_switched_off(refusal, word):
    assert refusal(word).endswith('only a flag without a value can be switched off so')


@pytest.mark.parametrize('words', [('--years',), ('--years', '--xla'), ('--xla', '--years')])
def test_a_flag_without_its_value_is_reported(refusal, words):
    assert refusal(*words) == '--years needs a value: a whole number'


@pytest.mark.parametrize(
    'words',
    [('--years', '1', '--years', '1'), ('--years=1', '--years=2'), ('--years=1', '--years', '2')],
)
def test_a_flag_given_twice_is_reported(refusal, words):
    assert refusal(*words) == '--years is given twice'


def test_a_switch_given_on_and_off_is_given_twice(refusal):
    assert refusal('--xla', '--no_xla') == '--xla is given twice'


@pytest.mark.parametrize(
    ('word', 'message'),
    [
        ('--yeers', "--yeers: unknown; did you mean 'years'?"),
        ('--year', "--year: unknown; did you mean 'years'?"),
        ('--config', '--config: unknown'),
        ('--hyperparameter', '--hyperparameter: unknown'),
        ('--zzz', '--zzz: unknown'),
        ('--zzz=1', '--zzz: unknown'),
        ('--moon', '--moon: unknown'),
        ('--', '--: unknown'),
    ],
)
def test_an_unknown_flag_is_reported_and_names_are_never_shortened(refusal, word, message):
    assert refusal(word, '3').startswith(message)


@pytest.mark.parametrize('word', ['-x', 'word', '', '-', '5'])
def test_a_stray_word_is_reported(refusal, word):
    assert refusal('train', word) == f'stray word {word!r} on the command line'


@pytest.mark.parametrize('words', [('-h',), ('--help',), ('evaluate', '--years', '3', '--help')])
def test_help_is_asked_for(read, words):
    assert read(*words).wants_help


def test_help_of_a_mode_begins_with_its_own_options_and_leaves_out_those_of_others():
    catalog = dataclasses.replace(CATALOG, always=(*CATALOG.always, Hikes))
    text = help_text('grow.py', 'Grows trees.', catalog, MODES, 'evaluate')
    assert text.index('--title') < text.index('--trails') < text.index('--years')
    text = help_text('grow.py', 'Grows trees.', catalog, MODES, 'train')
    assert '--years' in text
    assert '--title' not in text


def test_only_a_typed_mode_is_typed(read):
    assert read('evaluate', '--help').typed_mode == 'evaluate'
    assert read('--help').typed_mode is None


def test_help_is_not_given_unasked(read):
    assert not read('--years', '3').wants_help


@pytest.fixture
def help_lines():
    text = help_text('grow.py', 'Grows trees.', CATALOG, MODES)
    # Wrapped lines are joined: where they break is the terminal's business.
    return re.sub(r'\n {8,}', ' ', text).splitlines()


def line_of(help_lines, flag):
    (line,) = (line for line in help_lines if line.split()[:1] == [flag])
    return ' '.join(line.split())


def test_help_begins_with_usage_and_summary(help_lines):
    assert help_lines[0] == 'usage: grow.py [train|evaluate] [--OPTION VALUE] [--FLAG] [--no_FLAG]'
    assert help_lines[2] == 'Grows trees.'


def test_help_lists_the_options_in_groups(help_lines):
    titles = [line for line in help_lines if line.endswith(':') and line[0] != ' ']
    assert titles == ['base:', 'growth:', 'report:', 'visitors:', 'model:']


def test_help_lists_every_option_once(help_lines):
    flags = [line.split()[0] for line in help_lines if line.startswith('  --')]
    assert sorted(flags) == sorted(f'--{name}' for name in CATALOG.by_name)


@pytest.mark.parametrize(
    ('flag', 'line'),
    [
        ('--years', '--years N How long it grows. (default 10, years, >= 1)'),
        ('--rate', '--rate X Speed of growth. (default 0.1, 0 < value < 1)'),
        ('--xla', '--xla Grow fast. (default false)'),
        ('--watered', '--watered Give it water. (default true)'),
        ('--offset', '--offset N Shift, 100% free. (default 0)'),
        ('--season', '--season TEXT When it starts. (default spring, one of spring, autumn)'),
        ('--title', '--title TEXT Heading of the report. (default none, for evaluate)'),
        (
            '--height',
            '--height N How high. (default none, metres, >= 1, model: fir and oak)',
        ),
        ('--acorns', '--acorns N How many acorns. (default 50, >= 0, model: oak)'),
    ],
)
def test_help_tells_default_unit_range_choices_and_owner(help_lines, flag, line):
    assert line_of(help_lines, flag) == line
