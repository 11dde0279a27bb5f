"""A run's hparams.yaml, read with the origins of its values."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import yaml

from library.config.fields import PROJECT, Options, options_of
from library.config.fields import option as declare
from library.config.hparams import HParams, Value
from library.config.yaml_sets import read_flat
from library.errors import ConfigError
from library.runs.kept_values import to_yaml
from library.runs.saved_values import SavedValue, is_of_same_run, read_saved_values


class _Nothing:
    def entries(self):
        return {}


NOTHING = _Nothing()

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Anything(Options, group='base', home=PROJECT):
    anything: str = declare('', 'A text.')


def saved(folder, *values, origin='command line'):
    """Writes a run's file with these values, called a, b, c ..."""
    (option,) = options_of(Anything)
    names = 'abcdefghijklmnopqrstuvwxyz'
    entries = {name: Value(v, origin, option) for name, v in zip(names, values, strict=False)}
    (folder / 'hparams.yaml').write_text(to_yaml(HParams(entries), NOTHING))
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


def test_a_file_that_a_person_wrote_has_the_origins_that_stand_behind_its_values(tmp_path):
    text = 'a: 1 # mine\nb:\n- x\n- y\nc: 2   # theirs # too\nd: |\n  z\ne: [x,\n y]\nf: "#" # g\n'
    (tmp_path / 'hparams.yaml').write_text(text)
    assert read_saved_values(str(tmp_path)) == {
        'a': SavedValue('1', 'mine'),
        'b': SavedValue(('x', 'y'), ''),
        'c': SavedValue('2', 'theirs # too'),
        'd': SavedValue('z\n', ''),
        'e': SavedValue(('x', 'y'), ''),
        'f': SavedValue('#', 'g'),
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


def test_it_works_without_the_c_library(tmp_path, monkeypatch):
    monkeypatch.setattr('library.runs.saved_values._FAST', yaml.SafeLoader)
    assert saved(tmp_path, ('first', 'seen'))['a'].text == ('first', 'seen')
