"""A checkpoint to one finished, tried version."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import tensorflow as tf

from library import files
from library.console import say
from library.modes.exporting import hub_module, parity, tflite
from library.modes.exporting.saved_model import write_saved_model
from library.modes.exporting.trial import Sample, Trial, make_trial
from library.modes.exporting.versions import RECORD, add_version, read_records
from library.modes.options import ExportOptions
from library.modes.serving.graph import ServingGraph
from library.runtime.experiment import Experiment


def export_checkpoint(
    experiment: Experiment,
    serving: ServingGraph,
    checkpoint: str,
    sample: Sample,
    *,
    best_value: float | None = None,
    show_table: bool = True,
) -> str:
    """Exports.

    Args:
      experiment: a run on images.
      serving: its checkpoint; no file of it is read.
      checkpoint: path without ending, for export.json.
      sample: of the run's images, to try every export on.
      best_value: the metric by which this became the best of the run, for export.json.
      show_table: says of every format how near it comes.

    Returns:
      The path of the version.

    Raises:
      MismatchError: an export is not what the checkpoint is.
    """
    options = experiment.hparams.take(ExportOptions)
    export_dir = options.folder_of(experiment.hparams.model_dir)
    _warn_of_others(export_dir, experiment.run.run_id)
    with _whole_float32():
        trial = make_trial(experiment, serving, sample)

        def fill(folder: str) -> None:
            tried = _write(experiment, serving, trial, folder)
            if show_table:
                _tell(tried, trial)
            parity.check(tried, tflite.QUANTIZED, options.min_agreement)
            record = _record(experiment, serving, checkpoint, best_value, tried)
            text = json.dumps(record, indent=1) + '\n'
            files.write_atomically(os.path.join(folder, RECORD), text.encode())

        return add_version(export_dir, fill)


def check_formats(experiment: Experiment) -> None:
    """Raises ConfigError for a format that the model cannot be exported in."""
    if hub_module.FORMAT in experiment.hparams.export_formats:
        hub_module.check_can_save(experiment)


def _warn_of_others(export_dir: str, run_id: str | None) -> None:
    """Says what a server that watches the folder will do."""
    records = read_records(export_dir)
    if records and records[-1].get('run_id') != run_id:
        say(
            f'warning: {export_dir}: the newest version there is of another run; what serves this '
            f'folder will take the new one for it'
        )


@contextlib.contextmanager
def _whole_float32() -> Iterator[None]:
    """Switches TensorFloat-32 off, with which a GPU rounds more than exports may differ by."""
    switch = tf.config.experimental
    before = switch.tensor_float_32_execution_enabled()
    switch.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        switch.enable_tensor_float_32_execution(before)


def _tell(tried: Sequence[parity.Parity], trial: Trial) -> None:
    parity.tell(tried, len(trial.images))
    if trial.features is None:
        say('the model tells no features: there is no signature `features`')
    if not trial.files:
        say('noise has no files: `serving_default` was not tried')


def _write(
    experiment: Experiment, serving: ServingGraph, trial: Trial, folder: str
) -> list[parity.Parity]:
    """Fills the folder of a version, and tries everything in it."""
    hparams = experiment.hparams
    write_saved_model(serving, hparams, experiment.run, folder)
    size = files.size_below(folder)
    config = experiment.estimator.config.session_config
    tried = parity.try_saved_model(folder, trial, size, config)
    kinds = [kind for kind in hparams.export_formats if kind in tflite.FILES]
    wanted = tflite.INT8 in kinds
    images = tflite.representative_images(experiment) if wanted else None
    for kind in kinds:
        path = os.path.join(folder, tflite.FOLDER, tflite.FILES[kind])
        files.make_folder(os.path.dirname(path))
        files.write_atomically(path, tflite.convert(folder, kind, images))
        tried.append(tflite.try_tflite(path, kind, trial))
    if hub_module.FORMAT in hparams.export_formats:
        path = os.path.join(folder, hub_module.FOLDER)
        hub_module.write_hub_module(experiment, hub_module.trained_weights(serving), path)
        tried.append(hub_module.try_hub_module(path, trial, files.size_below(path)))
    return tried


def _record(
    experiment: Experiment,
    serving: ServingGraph,
    checkpoint: str,
    best_value: float | None,
    tried: Sequence[parity.Parity],
) -> dict[str, Any]:
    """Where a version comes from, and how near it comes to that."""
    return {
        'created': int(time.time()),
        'checkpoint': checkpoint,
        'global_step': serving.global_step,
        'run_id': experiment.run.run_id,
        'best_metric': experiment.hparams.best_metric,
        'best_value': best_value,
        'parity': {each.name: asdict(each) for each in tried},
    }
