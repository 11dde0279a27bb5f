"""What the build of November 2026 left on disk is used by this one, with the same results.

tests/fixtures/earlier_build holds what that build made on one CPU, and what it went on to answer
(expected.json): a data set, a module, a run on kept features, a fine-tuned run on augmented images.
"""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import run
from library.runs.kept_values import read_saved
from tests.conftest import ROOT

FIXTURE = ROOT / 'tests' / 'fixtures' / 'earlier_build'
EXPECTED = json.loads((FIXTURE / 'expected.json').read_text())
TRAINING = {
    'model': 'hub',
    'module': 'module',
    'train_batch_size': '6',
    'epochs_between_evals': '1',
    'learning_rate': '0.01',
    'data_dir': 'dataset',
    'train_epochs': '4',
}
OWN = {
    'frozen': ['--no_augmentation'],
    'tuned': [
        *('--fine_tuning', '--moving_average_decay', '0.9', '--optimizer', 'momentum'),
        *('--learning_rate_decay_type', 'cosine'),
    ],
}


@pytest.fixture
def left(tmp_path, monkeypatch):
    """A copy of what the earlier build left, as the working folder."""
    shutil.copytree(FIXTURE, tmp_path / 'left')
    monkeypatch.chdir(tmp_path / 'left')
    return tmp_path / 'left'


def nearly(value):
    return pytest.approx(value, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize('name', ['frozen', 'tuned'])
def test_its_best_checkpoints_are_evaluated_to_the_same_metrics(left, name):
    assert run.main(['evaluate', '--model_dir', f'{name}/best', '--eval_split', 'test']) == 0
    metrics = json.loads((left / name / 'best' / 'eval' / 'metrics.json').read_text())
    expected = EXPECTED[name]['metrics']
    assert list(metrics) == list(expected)
    for key, value in expected.items():
        assert metrics[key] == (value if isinstance(value, str) else nearly(value)), key


@pytest.mark.parametrize('name', ['frozen', 'tuned'])
def test_its_runs_classify_images_with_the_same_probabilities(left, name):
    words = ['--predict_input', 'photos/test', '--predict_output', 'predictions.jsonl']
    assert run.main(['predict', '--model_dir', f'{name}/checkpoints', *words]) == 0
    rows = [json.loads(line) for line in (left / 'predictions.jsonl').read_text().splitlines()]
    found = {
        row['file']: {each['class']: each['probability'] for each in row['predictions']}
        for row in rows
    }
    assert found == {file: nearly(each) for file, each in EXPECTED[name]['predictions'].items()}


def test_its_runs_fit_pictures_as_it_did_whatever_a_set_says_today(left):
    assert 'fit' not in {*read_saved('frozen/checkpoints')}
    sets = left / 'hyperparameters.yaml'
    sets.write_text(sets.read_text().replace('default: &DEFAULT', 'default: &DEFAULT\n  fit: pad'))
    (left / 'wide').mkdir()
    wide = np.zeros([32, 96, 3], np.uint8)
    wide[:, :32], wide[:, 32:64] = (40, 60, 220), (220, 40, 40)
    Image.fromarray(wide).save(left / 'wide' / 'blue_and_red.png')

    def predict(*words):
        output = ['--predict_input', 'wide', '--predict_output', 'wide.jsonl']
        assert run.main(['predict', '--model_dir', 'frozen/checkpoints', *output, *words]) == 0
        return json.loads((left / 'wide.jsonl').read_text())['predictions']

    assert predict() == predict('--fit=crop') != predict('--fit=pad')


@pytest.mark.parametrize('name', ['frozen', 'tuned'])
def test_its_runs_are_resumed_to_the_same_losses(left, capsys, name):
    words = [word for key, value in TRAINING.items() for word in (f'--{key}', value)]
    words += ['--model_dir', f'{name}/checkpoints', '--best_model_dir', f'{name}/best']
    assert run.main(['train', *words, *OWN[name]]) == 0
    said = capsys.readouterr().out
    changed = {
        line.split(': ')[1] for line in said.splitlines() if line.startswith('changed since')
    }
    # Kept features follow from the code too, so another build computes its own.
    assert changed - {'features_digest', 'train_features', 'eval_features'} == {'train_epochs'}
    lines = (left / name / 'checkpoints' / 'eval' / 'history.jsonl').read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {key: nearly(value) for key, value in each.items()} for each in EXPECTED[name]['history']
    ]


def test_its_best_checkpoint_is_exported_and_answers_alike(left):
    words = ['--model_dir', 'frozen/best', '--export_dir', 'exported']
    assert run.main(['export', *words]) == 0
    words = ['--predict_input', 'photos/test', '--predict_output', 'predictions.jsonl']
    assert run.main(['predict', '--saved_model', 'exported', *words]) == 0
    rows = [json.loads(line) for line in (left / 'predictions.jsonl').read_text().splitlines()]
    for row in rows:
        expected = EXPECTED['frozen']['predictions'][row['file']]
        assert {p['class']: p['probability'] for p in row['predictions']} == nearly(expected)
