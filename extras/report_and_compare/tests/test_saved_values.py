"""What a run kept, read with the origins of its values."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from extras.report_and_compare.saved_values import SavedValue, is_of_same_run, read_saved_values
from library.config.fields import PROJECT, Options, options_of
from library.config.fields import option as declare
from library.config.hparams import HParams, Value
from library.config.yaml_sets import read_flat
from library.errors import ConfigError
from library.runs.kept_values import save


class _Nothing:
    def entries(self):
        return {}


NOTHING = _Nothing()

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Anything(Options, group='base', home=PROJECT):
    anything: str = declare('', 'A text.')


def saved(folder, *values, origin='command line'):
    """Writes a run's files with these values, called a, b, c ..."""
    (option,) = options_of(Anything)
    names = 'abcdefghijklmnopqrstuvwxyz'
    entries = {name: Value(v, origin, option) for name, v in zip(names, values, strict=False)}
    save(HParams(entries), NOTHING, str(folder))
    return read_saved_values(str(folder))


VALUES = [
    *(1e-8, 3, True, None, (), ('a', 'b, c'), ('0', '1'), 'plain', 'two words', '12', 'null', ''),
    *('a # b', 'a  # b', '#', "it's", '"quoted"', ' spaces ', 'tab\there', 'naïve', '日本', '{x}'),
    *('[x]', 'a: b', '-', '/some/path'),
]


def test_every_value_is_read_as_the_other_reader_does(tmp_path):
    values = saved(tmp_path, *VALUES)
    read = read_flat(str(tmp_path / 'hparams.yaml'))
    assert {name: value.text for name, value in values.items()} == {
        name: written.text for name, written in read.items()
    }
    assert len(values) == len(VALUES)
    assert {value.origin for value in values.values()} == {'command line'}


def test_origins_with_signs_are_kept(tmp_path):
    assert saved(tmp_path, 'x', ('y',), origin='my # file.yaml:3')['b'].origin == 'my # file.yaml:3'


def test_names_that_are_no_utf_8_cost_no_origins(tmp_path):
    values = saved(tmp_path, ('caf\udce9', 'dog'), 'x')
    assert values['a'] == SavedValue(('caf\udce9', 'dog'), 'command line')
    assert values['b'] == SavedValue('x', 'command line')


def test_an_older_run_has_the_same_values_without_origins(tmp_path):
    values = saved(tmp_path, *VALUES)
    (tmp_path / 'hparams.json').unlink()
    assert read_saved_values(str(tmp_path)) == {
        name: SavedValue(value.text, '') for name, value in values.items()
    }


def test_the_file_holds_text_or_texts_and_the_origin_of_each_value(tmp_path):
    saved(tmp_path, 1e-8, (1, 2), None, origin='project.yaml:3')
    assert json.loads((tmp_path / 'hparams.json').read_text()) == {
        'a': {'value': '1.0e-08', 'origin': 'project.yaml:3'},
        'b': {'value': ['1', '2'], 'origin': 'project.yaml:3'},
        'c': {'value': 'null', 'origin': 'project.yaml:3'},
    }


def test_runs_are_the_same_by_the_id_of_their_first_start(tmp_path):
    files = {'one': 'run_id: x\n', 'best': 'run_id: x\n', 'two': 'run_id: y\n', 'none': 'a: 1\n'}
    for name, text in {**files, 'damaged': 'a: ['}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / 'hparams.yaml').write_text(text)
    own = read_saved_values(str(tmp_path / 'one'))
    assert is_of_same_run(own, str(tmp_path / 'best'))
    for other in ('two', 'none', 'damaged', 'nowhere'):
        assert not is_of_same_run(own, str(tmp_path / other))
    assert not is_of_same_run(read_saved_values(str(tmp_path / 'none')), str(tmp_path / 'none'))


def test_values_are_shown_in_one_line(tmp_path):
    shown = [value.shown for value in saved(tmp_path, None, (), ('a', 'b'), 0.5).values()]
    assert shown == ['none', 'none', 'a, b', '0.5']


def test_a_folder_without_the_file_has_no_values(tmp_path):
    assert read_saved_values(str(tmp_path)) == {}


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'\xff\xfe',
        b'a: 1\nb',
        b'a: 1\na: 2',
        b'a: [1',
        b'a: [[1]]',
        b'- a\n',
        b'a: ' + b'[' * 3000,
    ],
)
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / 'hparams.yaml').write_bytes(content)
    with pytest.raises(ConfigError, match=r'hparams\.yaml'):
        read_saved_values(str(tmp_path))


@pytest.mark.parametrize(
    'content',
    [b'', b'\xff\xfe', b'{"a": ', b'[]', b'{"a": 1}', b'{"a": {"value": "1"}}', b'[' * 10**5],
)
def test_a_damaged_json_file_is_an_error_that_names_it(tmp_path, content):
    saved(tmp_path, 1)
    (tmp_path / 'hparams.json').write_bytes(content)
    with pytest.raises(ConfigError) as error:
        read_saved_values(str(tmp_path))
    assert str(error.value) == f'{tmp_path}/hparams.json: damaged'
