"""A run's row in TensorBoard's HParams table, read by TensorBoard's own code."""

from __future__ import annotations

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from library.hooks.hparams_table import HParamsTableHook
from tests.library.hooks.tiny_training import train

VALUES = {
    'model': 'hub',
    'batch_size': 32,
    'learning_rate': 1e-3,
    'fine_tuning': True,
    'class_weights': ('1.0', '2.5'),
    'module': 'caf\udce9',
    'gradient_clip_norm': None,
    'trainable_scopes': (),
}


def entries(folder):
    with tf.Graph().as_default():
        tf.compat.v1.summary.FileWriterCache.get(str(folder)).flush()
    tf.compat.v1.summary.FileWriterCache.clear()
    read = EventAccumulator(str(folder))
    read.Reload()
    return read.PluginTagToContent(metadata.PLUGIN_NAME)


def values_of(found):
    info = metadata.parse_session_start_info_plugin_data(found[metadata.SESSION_START_INFO_TAG])
    return {name: getattr(v, v.WhichOneof('kind')) for name, v in info.hparams.items()}


def test_the_row_has_the_values_and_empty_cells_for_what_is_not_set(tmp_path):
    train([HParamsTableHook(str(tmp_path), VALUES, total_steps=2)], 2)
    assert values_of(entries(tmp_path)) == {
        'model': 'hub',
        'batch_size': 32.0,
        'learning_rate': 1e-3,
        'fine_tuning': True,
        'class_weights': '1.0, 2.5',
        'module': 'caf\\udce9',
    }


def test_a_run_at_its_end_is_a_success(tmp_path):
    train([HParamsTableHook(str(tmp_path), VALUES, total_steps=2)], 2)
    content = entries(tmp_path)[metadata.SESSION_END_INFO_TAG]
    info = metadata.parse_session_end_info_plugin_data(content)
    assert (
        info.DESCRIPTOR.fields_by_name['status'].enum_type.values_by_number[info.status].name
        == 'STATUS_SUCCESS'
    )


def test_a_run_that_was_stopped_has_no_end_until_it_is_resumed(tmp_path):
    train([HParamsTableHook(str(tmp_path), VALUES, total_steps=3)], 2)
    assert metadata.SESSION_END_INFO_TAG not in entries(tmp_path)
    train([HParamsTableHook(str(tmp_path), VALUES, total_steps=3)], 1, start=2)
    assert metadata.SESSION_END_INFO_TAG in entries(tmp_path)


@pytest.mark.parametrize('folder', ['ram://hparams/run'])
def test_a_remote_folder_gets_its_entries_too(folder):
    train([HParamsTableHook(folder, VALUES, total_steps=1)], 1)
    tf.compat.v1.summary.FileWriterCache.clear()
    (name,) = tf.io.gfile.listdir(folder)
    assert name.startswith('events.out.tfevents')
