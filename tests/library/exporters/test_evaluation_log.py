"""The record of all evaluations."""

from __future__ import annotations

import json

import numpy as np
import pytest

from library.exporters.evaluation_log import EvaluationLog
from library.exporters.history import read_history


@pytest.fixture
def log(tmp_path):
    return EvaluationLog(str(tmp_path), is_best=lambda step: step == 2)


def export(log, step, **metrics):
    log.export(
        estimator=None,
        export_path='',
        checkpoint_path='',
        eval_result={'global_step': np.int64(step), **metrics},
        is_the_final_export=False,
    )


def test_each_evaluation_is_one_line_of_json(log, tmp_path):
    export(log, 1, accuracy=np.float32(0.5))
    export(log, 2, accuracy=np.float32(0.75))
    lines = (tmp_path / 'eval' / 'history.jsonl').read_text().splitlines()
    assert [json.loads(line)['accuracy'] for line in lines] == [0.5, 0.75]
    assert read_history(str(tmp_path)) == [json.loads(line) for line in lines]


def test_a_number_is_written_with_the_digits_that_it_has(log, tmp_path):
    export(log, 1, accuracy=np.float32(0.89), average_loss=np.float32(1e-12))
    text = (tmp_path / 'eval' / 'history.jsonl').read_text()
    assert text == '{"global_step": 1, "accuracy": 0.89, "average_loss": 1e-12}\n'


def test_an_evaluation_made_again_replaces_what_came_after_it(log, tmp_path):
    for step in (1, 2, 3):
        export(log, step, accuracy=np.float32(step))
    export(log, 2, accuracy=np.float32(9))
    assert [each['accuracy'] for each in read_history(str(tmp_path))] == [1, 9]


def test_it_knows_which_steps_were_evaluated(log):
    assert not log.has(1)
    export(log, 1, accuracy=np.float32(0.5))
    assert log.has(1)
    assert not log.has(2)


def test_what_is_not_finite_is_null_and_said_in_words(log, tmp_path, capsys):
    export(log, 1, average_loss=np.float32('inf'))
    assert json.loads((tmp_path / 'eval' / 'history.jsonl').read_text())['average_loss'] is None
    assert capsys.readouterr().out == 'step 1: average_loss not finite\n'


def test_a_spoiled_line_costs_no_more_than_itself(log, tmp_path):
    export(log, 1, accuracy=np.float32(0.5))
    path = tmp_path / 'eval' / 'history.jsonl'
    path.write_text(path.read_text() + '{"accuracy": 0.\n')
    export(log, 2, accuracy=np.float32(0.75))
    assert [each['accuracy'] for each in read_history(str(tmp_path))] == [0.5, 0.75]


def test_it_tells_the_metrics_and_which_is_the_best(log, capsys):
    export(log, 1, accuracy=np.float32(0.5), loss=np.float32(3), examples=np.float64(4))
    export(log, 2, accuracy=np.float32(0.5), average_loss=np.float32(0.25))
    assert capsys.readouterr().out.splitlines() == [
        'step 1: accuracy 0.5000',
        'step 2: accuracy 0.5000  average_loss 0.2500  (best so far)',
    ]
