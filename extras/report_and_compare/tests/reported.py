"""Evaluations made by hand, and the folders of runs that a report looks into."""

from __future__ import annotations

import io
import json

import numpy as np
from PIL import Image

import run
from extras.report_and_compare.report.page import render
from library.config.command_line import parse
from library.config.hparams import resolve
from library.modes.evaluation.plots import Plots
from library.modes.evaluation.result import (
    CalibrationBin,
    ClassScores,
    Evaluation,
    Mistake,
    Predictions,
)
from library.runs.directory import find_run

# The values of a run, and where each came from.
VALUES = {
    'model': ('simple', 'project.yaml:11'),
    'model_dir': ('{folder}', 'command line'),
    'learning_rate': ('0.003', 'hyperparameters.yaml:22'),
    'optimizer': ('adam', 'default'),
    'class_names': (['cat', 'dog'], 'data/train'),
    'run_id': ('abc', 'the first start of the run'),
}


def save_values(folder, origins=True, **values):
    """Writes hparams.yaml, and hparams.json unless the run shall be an older one."""
    kept = {name: list(pair) for name, pair in VALUES.items()}
    kept['model_dir'][0] = str(folder)
    for name, value in values.items():
        kept[name][0] = value
    text = ''.join(f'{name}: {json.dumps(value)}\n' for name, (value, _) in kept.items())
    (folder / 'hparams.yaml').write_text(text)
    if origins:
        told = {name: {'value': value, 'origin': origin} for name, (value, origin) in kept.items()}
        (folder / 'hparams.json').write_text(json.dumps(told))


def make_run(folder, history=True, training=True, starts=1):
    """Writes what a run leaves, as far as it is asked for; gives the folder's path."""
    (folder / 'eval').mkdir(parents=True)
    save_values(folder)
    if history:
        losses = (0.9, 0.4, 0.5)
        lines = [
            {'accuracy': 1 - loss, 'average_loss': loss, 'f_beta': 0.5, 'global_step': 10 * n}
            for n, loss in enumerate(losses, 1)
        ]
        text = '\n'.join(map(json.dumps, lines))
        (folder / 'eval' / 'history.jsonl').write_text(f'{text}\n')
    if training:
        lines = [{'step': n, 'loss': 2 / n, 'accuracy': None} for n in range(1, 31)]
        text = '\n'.join(map(json.dumps, lines))
        (folder / 'metrics.jsonl').write_text(f'{text}\n')
    if starts:
        start = {
            'time': '2024-05-06T07:08:09+00:00',
            'command': "run.py --model simple --data_dir 'my photos'",
            'gpus': [],
            'versions': {'python': '3.11.7'},
            'git': {'commit': 'c0ffee', 'dirty': False},
        }
        (folder / 'environment.json').write_text(json.dumps({'starts': [start] * starts}))
    return str(folder)


def hparams_of(folder, *words):
    """The values of an evaluation of the run in a folder."""
    line = parse(['evaluate', '--model_dir', folder, *words], run.CATALOG, tuple(run.MODES))
    return resolve(run.CATALOG, line, find_run(run.CATALOG, line, training=False).saved)


def photo(size=(300, 200), color=(200, 80, 40)):
    """An encoded image of one colour."""
    jpeg = io.BytesIO()
    Image.new('RGB', size, color).save(jpeg, 'JPEG')
    return jpeg.getvalue()


def page_of(hparams, evaluation, program='run.py'):
    """The page with plots of nothing; the real ones have tests of their own."""
    return render(hparams, evaluation, Plots(photo(), photo()), program)


def make_evaluation(names=('cat', 'dog'), mistakes=(), confusion=None, folder='eval'):
    """An evaluation with this confusion matrix; without one, all predictions are right."""
    confusion = np.eye(len(names), dtype=int) * 3 if confusion is None else np.array(confusion)
    pairs = [(t, p) for (t, p), n in np.ndenumerate(confusion) for _ in range(n)]
    labels, predicted = np.array(pairs).T
    probabilities = np.full((len(labels), len(names)), 0.2 / max(1, len(names) - 1), np.float32)
    probabilities[np.arange(len(labels)), predicted] = 0.8
    accuracy = float((labels == predicted).mean())
    metrics = {
        'accuracy': accuracy,
        'loss': 0.25,
        'average_loss': 0.25,
        'auc': None,
        'examples': len(labels),
        'global_step': 20,
        'checkpoint': f'{folder}/model.ckpt-20',
        'split': 'test',
    }
    scores = [
        ClassScores(name, 3, None, number / len(names), number / len(names), 0.5)
        for number, name in enumerate(names)
    ]
    bins = (CalibrationBin(0.0, 0.5, 0, None, None), CalibrationBin(0.5, 1.0, 3, 0.8, 0.9))
    predictions = Predictions(tuple(names), labels, probabilities)
    return Evaluation(metrics, predictions, tuple(scores), bins, tuple(mistakes), folder)


def make_mistakes(count, true='cat', predicted='dog', file='test/cat/1.jpg', jpeg=None):
    """Mistakes that are alike but for their numbers."""
    jpeg = jpeg or photo()
    return [Mistake(n, file, true, predicted, 0.8, 0.1, jpeg) for n in range(count)]
