"""The values of a run in its directory, and back."""

from functools import partial

import pytest
import yaml

from library import files
from library.config.yaml_sets import Written
from library.errors import ConfigError
from library.runs.kept_values import (
    ORIGINS,
    SAVED_AS,
    changes,
    check_run_exists,
    read_saved,
    save,
    to_yaml,
)
from library.runs.metadata import Run
from tests.library.config.trees import resolve_words

ODD_TEXTS = [
    'plain',
    'no',
    'null',
    '~',
    '010',
    '1e-3',
    '',
    ' edges ',
    'a: b',
    'a # b',
    '- a',
    '[a]',
    '*a',
    '"quoted"',
    "it's",
    'two\nlines',
    'tab\t',
    'ünïcode 木',
    '\u2028',
    'bytes \udce9',
    'x' * 300,
]


@pytest.fixture
def resolved(tmp_path):
    return partial(resolve_words, tmp_path)


@pytest.mark.parametrize('text', ODD_TEXTS)
def test_a_saved_text_is_read_back_as_it_was(resolved, tmp_path, text):
    hparams = resolved().with_values('here', folder=text, birds=(text, 'owl'))
    save(hparams, Run(), str(tmp_path / 'run'))
    again = read_saved(str(tmp_path / 'run'))
    assert again['folder'].text == text
    assert again['birds'].text == (text, 'owl')


@pytest.mark.parametrize('rate', [1e-4, 1e-10, 0.1, 1 / 3, 1e-300])
def test_a_saved_number_is_read_back_exactly(resolved, tmp_path, rate):
    hparams = resolved().with_values('here', rate=rate)
    save(hparams, Run(), str(tmp_path))
    assert float(read_saved(str(tmp_path))['rate'].text) == rate


def test_a_saved_run_read_back_has_not_changed(resolved, tmp_path):
    hparams = resolved('--height', '3', '--no_watered').with_values('here', birds=('owl',))
    save(hparams, Run(), str(tmp_path))
    assert changes(hparams, Run(), read_saved(str(tmp_path))) == []


def test_any_yaml_reader_reads_the_saved_file(resolved):
    values = yaml.safe_load(to_yaml(resolved('--model', 'fir'), Run()))
    assert values['model'] == 'fir'
    assert values['years'] == 10
    assert values['watered'] is True
    assert values['height'] is None


def test_the_saved_file_tells_where_each_value_came_from(resolved):
    lines = to_yaml(resolved('--years', '3'), Run()).splitlines()
    assert 'years: 3  # command line' in lines
    assert 'rate: 0.1  # default' in lines


def test_flags_that_choose_sets_are_not_saved(resolved):
    assert 'config_set' not in yaml.safe_load(to_yaml(resolved(), Run()))


@pytest.mark.parametrize('origin', ['two\nlines/train', 'nel\x85', 'bell\x07', 'bytes \udce9'])
def test_an_odd_origin_does_not_spoil_the_saved_file(resolved, tmp_path, origin):
    save(resolved().with_values(origin, birds=('owl',)), Run(), str(tmp_path))
    assert read_saved(str(tmp_path))['birds'].text == ('owl',)


def test_saving_leaves_the_two_files_alone_in_their_folder(resolved, tmp_path):
    folder = str(tmp_path / 'deep' / 'run')
    save(resolved(), Run(), folder)
    save(resolved('--years', '3'), Run(), folder)
    assert files.names_in(folder) == [ORIGINS, SAVED_AS]


def test_a_folder_without_a_saved_run_gives_none(tmp_path):
    assert read_saved(str(tmp_path)) is None
    assert read_saved(str(tmp_path / 'none')) is None


def test_a_folder_without_a_run_is_reported(tmp_path):
    with pytest.raises(ConfigError) as caught:
        check_run_exists(str(tmp_path))
    assert str(caught.value) == f'{tmp_path}: no run there (--model_dir)'


def test_runs_within_a_folder_without_one_are_named(tmp_path):
    for name in ('best', 'checkpoints', 'empty'):
        (tmp_path / name).mkdir()
    for name in ('best', 'checkpoints'):
        (tmp_path / name / 'hparams.yaml').write_text('a: 1\n')
    with pytest.raises(ConfigError) as caught:
        check_run_exists(str(tmp_path))
    assert str(caught.value).endswith(
        f'(--model_dir); there is one in {tmp_path}/best and in {tmp_path}/checkpoints'
    )


@pytest.mark.parametrize('name', [SAVED_AS, 'checkpoint'])
def test_a_folder_with_values_or_a_checkpoint_is_a_run(tmp_path, name):
    (tmp_path / name).write_text('')
    check_run_exists(str(tmp_path))


def saved(**texts):
    return {name: Written(text, 'run/hparams.yaml:1') for name, text in texts.items()}


def test_what_changed_since_the_last_start_is_reported(resolved):
    hparams = resolved('--years', '20', '--no_watered')
    found = changes(hparams, Run(), saved(years='10', watered='true', rate='0.1', folder='out'))
    assert found == [
        'years: 10 -> 20 (command line)',
        'watered: true -> false (command line)',
    ]


def test_two_ways_to_write_one_number_are_no_change(resolved):
    assert changes(resolved(), Run(), saved(rate='1e-1', years='010')) == []


def test_a_saved_text_that_the_declaration_no_longer_takes_is_a_change(resolved):
    assert changes(resolved(), Run(), saved(years='ever')) == ['years: ever -> 10 (default)']


def test_saved_names_that_are_no_options_any_more_are_left_alone(resolved):
    assert changes(resolved(), Run(), saved(moon='full')) == []


def test_what_a_run_found_out_is_kept_behind_its_options(resolved, tmp_path):
    run = Run().found('data/train', class_names=('cat', 'dog')).found('this start', run_id='abc')
    lines = to_yaml(resolved(), run).splitlines()
    assert lines[-1] == 'run_id: abc  # this start'
    assert 'class_names: [cat, dog]  # data/train' in lines
    assert changes(resolved(), run, saved(run_id='abd')) == ['run_id: abd -> abc (this start)']
