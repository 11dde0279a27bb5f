"""Files of sets are read once."""

from __future__ import annotations

from collections import Counter

import pytest

import run
from library import files
from library.config.checked_sets import chosen_sets
from library.config.yaml_sets import Written
from library.errors import ConfigError
from project.options import CATALOG

LEARNED = 'default:\n  learning_rate: 0.1\nother:\n  learning_rate: 0.2\n'
WHERE = 'default:\n  train_epochs: 1\nother:\n  train_epochs: 2\n'


@pytest.fixture
def reads(monkeypatch):
    """Counts how often each file is read."""
    counted, read_bytes = Counter(), files.read_bytes

    def read(path):
        counted[path] += 1
        return read_bytes(path)

    monkeypatch.setattr(files, 'read_bytes', read)
    return counted


@pytest.mark.parametrize('words', [[], ['evaluate'], ['--time_stamped'], ['--config_set', 'other']])
def test_a_start_reads_each_file_once(write, tmp_path, reads, capsys, words):
    learned, where = write(LEARNED), write(WHERE, 'project.yaml')
    run_dir = tmp_path / 'run'
    run_dir.mkdir()
    (run_dir / 'hparams.yaml').write_text('model: simple\n')
    flags = ['--config_file', where, '--hyperparameter_file', learned, '--model_dir', run_dir]
    assert run.main([*words, *map(str, flags), '--explain']) == 0
    assert 'learning_rate' in capsys.readouterr().out
    assert (reads[str(learned)], reads[str(where)]) == (1, 1)


def test_a_set_that_nobody_chose_is_checked_too(write):
    path = write('default:\n  train_epochs: 1\nother:\n  train_epochs: x\n')
    with pytest.raises(ConfigError) as error:
        chosen_sets(CATALOG, {'config_file': Written(str(path), 'command line')})
    assert str(error.value) == (
        f"{path}:4: set 'other': key 'train_epochs': 'x' is not a whole number"
    )
