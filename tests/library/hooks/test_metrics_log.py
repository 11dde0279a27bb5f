"""metrics.jsonl."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import tensorflow as tf

from library.hooks.metrics_log import MetricsLogHook
from library.hooks.watched import watch
from tests.library.hooks.tiny_training import train


def lines(folder):
    return [json.loads(line) for line in (folder / 'metrics.jsonl').read_text().splitlines()]


def steps(folder):
    return [line['step'] for line in lines(folder)]


def test_every_so_many_steps_there_is_a_line_of_all_that_is_watched(tmp_path):
    train([MetricsLogHook(str(tmp_path), 2)], 5, build=lambda step: watch('accuracy', step / 100))
    found = lines(tmp_path)
    times = [datetime.fromisoformat(line.pop('time')) for line in found]
    assert found == [
        {'step': 2, 'loss': 0.5, 'learning_rate': 0.001, 'accuracy': 0.01},
        {'step': 4, 'loss': 0.25, 'learning_rate': 0.001, 'accuracy': 0.03},
    ]
    assert times == sorted(times)
    assert 0 <= (datetime.now(UTC) - times[0]).total_seconds() < 60


def test_what_is_not_finite_is_null(tmp_path):
    def build(step):
        watch('up', tf.math.log(step) * -1)
        watch('none', tf.constant(float('nan')))

    train([MetricsLogHook(str(tmp_path), 1)], 1, build=build)
    assert lines(tmp_path)[0]['up'] is None
    assert lines(tmp_path)[0]['none'] is None
    assert 'NaN' not in (tmp_path / 'metrics.jsonl').read_text()


def test_a_stop_and_a_resume_leave_the_lines_of_a_run_without_a_stop(tmp_path):
    train([MetricsLogHook(str(tmp_path), 2)], 8)
    # The checkpoint was made at step 4.
    train([MetricsLogHook(str(tmp_path), 2)], 6, start=4)
    assert steps(tmp_path) == [2, 4, 6, 8, 10]


def test_a_line_that_a_kill_cut_off_is_dropped(tmp_path):
    train([MetricsLogHook(str(tmp_path), 1)], 2)
    with open(tmp_path / 'metrics.jsonl', 'a') as file:
        file.write('[]\n{"step": 2, "los')
    train([MetricsLogHook(str(tmp_path), 1)], 1, start=2)
    assert steps(tmp_path) == [1, 2, 3]


def test_a_run_that_starts_over_begins_a_new_file(tmp_path):
    train([MetricsLogHook(str(tmp_path), 1)], 3)
    train([MetricsLogHook(str(tmp_path), 1)], 1)
    assert steps(tmp_path) == [1]


def test_a_remote_folder_gets_its_lines_too():
    train([MetricsLogHook('ram://metrics/run', 1)], 2)
    train([MetricsLogHook('ram://metrics/run', 1)], 2, start=1)
    with tf.io.gfile.GFile('ram://metrics/run/metrics.jsonl') as file:
        assert [json.loads(line)['step'] for line in file.read().splitlines()] == [1, 2, 3]


def test_nothing_is_fetched_where_no_line_is_due(tmp_path):
    hook = MetricsLogHook(str(tmp_path), 3)
    train([hook], 1)
    assert hook.before_run(None) is None
    train([hook], 2)
    assert set(hook.before_run(None).fetches) == {'loss', 'learning_rate'}


@pytest.mark.parametrize('left_out', [{1}, {3}, {2, 3}, {3, 4}, {6}])
def test_a_step_that_a_loss_scale_leaves_out_shifts_no_line(tmp_path, left_out):
    train([MetricsLogHook(str(tmp_path), 2)], 5 + len(left_out), left_out=left_out)
    # The loss of a step is 1 / step here.
    assert [(line['step'], line['loss']) for line in lines(tmp_path)] == [(2, 0.5), (4, 0.25)]


@pytest.mark.parametrize('value', [1e-8, 0.1, 123456.7])
def test_numbers_are_as_short_as_float32_allows(tmp_path, value):
    train([MetricsLogHook(str(tmp_path), 1)], 1, build=lambda step: watch('x', tf.constant(value)))
    assert lines(tmp_path)[0]['x'] == value
