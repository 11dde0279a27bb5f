"""Traces of single steps."""

from __future__ import annotations

import json

import tensorflow as tf

from library.hooks.logging_tensors import NamedTensorsHook
from library.hooks.profiler import FewTracesHook
from library.hooks.watched import watch
from tests.library.hooks.tiny_training import train


def traces(folder):
    return sorted(path.name for path in folder.glob('timeline-*.json'))


def test_a_trace_is_what_chrome_opens_and_names_the_operations(tmp_path):
    def build(step):
        square = tf.reshape(step + tf.range(64.0), [8, 8])
        watch('trace', tf.linalg.trace(square @ square))

    hooks = [FewTracesHook(str(tmp_path), 2, 1), NamedTensorsHook(['trace'], 1)]
    train(hooks, 4, build=build)
    assert traces(tmp_path) == ['timeline-2.json']
    events = json.loads((tmp_path / 'timeline-2.json').read_text())['traceEvents']
    spans = [event for event in events if event['ph'] == 'X']
    assert any('MatMul' in event['name'] for event in spans)
    assert all(event['dur'] >= 0 and event['ts'] > 0 for event in spans)


def test_files_stay_few(tmp_path):
    train([FewTracesHook(str(tmp_path), 2, 2)], 10)
    assert traces(tmp_path) == ['timeline-2.json', 'timeline-4.json']


def test_a_resumed_run_counts_from_its_start(tmp_path):
    train([FewTracesHook(str(tmp_path), 3, 1)], 4, start=7)
    assert traces(tmp_path) == ['timeline-10.json']


def test_a_remote_folder_gets_its_traces_too():
    train([FewTracesHook('ram://profile/run', 2, 1)], 3)
    with tf.io.gfile.GFile('ram://profile/run/timeline-2.json') as file:
        assert json.loads(file.read())['traceEvents']
