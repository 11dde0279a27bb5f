"""HParams to text for people, and back from a run's hparams.yaml."""

from functools import partial

import pytest

from library.config.explain import explain
from tests.library.config.trees import resolve_words


@pytest.fixture
def resolved(tmp_path):
    return partial(resolve_words, tmp_path)


def rows(text):
    return {line.split()[0]: line.split()[1:] for line in text.splitlines() if line[0] == ' '}


def test_every_value_is_shown_with_its_origin(resolved, tmp_path):
    hparams = resolved('--rate', '0.5', project='default:\n  years: 5\n')
    shown = rows(explain(hparams))
    assert set(shown) == set(hparams.values())
    assert shown['rate'] == ['0.5', 'command', 'line']
    assert shown['years'] == ['5', f'{tmp_path}/project.yaml:2']
    assert shown['watered'] == ['true', 'default']
    assert shown['height'] == ['none', 'default']


def test_several_values_are_shown_with_commas(resolved):
    hparams = resolved().with_values('found out', birds=('owl', 'jay'))
    assert rows(explain(hparams))['birds'] == ['owl,', 'jay', 'found', 'out']


def test_values_stand_under_the_headings_of_help(resolved):
    headings = [line for line in explain(resolved()).splitlines() if line[0] == '[']
    assert headings == ['[base]', '[growth]', '[model]', '[visitors]']


def test_unused_keys_are_shown_with_their_place(resolved, tmp_path):
    text = explain(resolved(hyper='default:\n  needles: 5\n'))
    last = text.splitlines()[-2:]
    assert last[0] == '[unused by this run]'
    assert last[1].split() == ['needles', f'{tmp_path}/hyperparameters.yaml:2']
