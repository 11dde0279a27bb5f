"""Turn a checkpoint into one finished version that was checked against it."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import tensorflow as tf

from library import files
from library.config.hparams import HParams
from library.console import log
from library.modes.exporting import parity
from library.modes.exporting.formats import ExportFormat, chosen_formats
from library.modes.exporting.parity_check import ParityCheck, Sample, make_parity_check
from library.modes.exporting.saved_model import write_saved_model
from library.modes.exporting.versions import RECORD, add_version, read_records
from library.modes.options import ExportOptions
from library.modes.serving.graph import ServingGraph
from library.preparation.pictures.picture_options import WHITE, as_flags, from_json
from library.runs.metadata import Run
from library.runtime.experiment import Experiment


def export_checkpoint(
    experiment: Experiment,
    serving: ServingGraph,
    checkpoint: str,
    sample: Sample,
    best_value: float | None = None,
) -> str:
    """Export a checkpoint as a new version.

    Args:
      experiment: a run on images.
      serving: its checkpoint; no file of it is read.
      checkpoint: path without ending, for export.json.
      sample: of the run's images, to check every export on.
      best_value: the metric by which this became the best of a run that trains, for export.json;
        None where a person exports, who is shown how near each format comes.

    Returns:
      The path of the version.

    Raises:
      MismatchError: an export is not what the checkpoint is.
    """
    options = experiment.hparams.take(ExportOptions)
    export_dir = options.folder_of(experiment.hparams.model_dir)
    _warn_of_others(export_dir, experiment.run.run_id)
    formats = chosen_formats(experiment)
    with _whole_float32():
        check = make_parity_check(experiment, serving, sample)

        def fill(folder: str) -> None:
            parities = _write(experiment, serving, check, formats, folder)
            if best_value is None:
                _log_parities(parities, check)
            parity.require_parity(parities, _min_agreements(experiment.hparams, formats))
            record = _record(experiment, serving, checkpoint, best_value, parities)
            text = json.dumps(record, indent=1) + '\n'
            files.write_atomically(os.path.join(folder, RECORD), text.encode())

        return add_version(export_dir, fill)


def check_formats(experiment: Experiment) -> None:
    """Raise ConfigError for a format that the model cannot be exported in."""
    for each in chosen_formats(experiment).values():
        each.check(experiment)


def warn_of_pictures(run: Run) -> None:
    """Warn where the graph of an export cannot read pictures as the training images were read."""
    # Nor does it know colour profiles, so that it keeps all colours; the background it knows.
    pictures = replace(from_json(run.stored_pictures), background=WHITE, keep_colors=False)
    if flags := as_flags(pictures):
        log(
            f'warning: an exported model does not apply {flags}: send it 8-bit pictures that are '
            f'prepared that way, as predict does'
        )


def _min_agreements(hparams: HParams, formats: Mapping[str, ExportFormat]) -> dict[str, float]:
    """Say by name how often a quantized model has to name the class of the checkpoint."""
    return {name: hparams.min_agreement for name, each in formats.items() if each.is_quantized}


def _warn_of_others(export_dir: str, run_id: str | None) -> None:
    """Warn of what a server that watches the folder will do."""
    records = read_records(export_dir)
    if records and records[-1].get('run_id') != run_id:
        log(
            f'warning: {export_dir}: the newest version there is of another run; a server of this '
            f'folder will replace it by the new one'
        )


@contextlib.contextmanager
def _whole_float32() -> Iterator[None]:
    """Switch TensorFloat-32 off, with which a GPU rounds more than exports may differ by."""
    switch = tf.config.experimental
    before = switch.tensor_float_32_execution_enabled()
    switch.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        switch.enable_tensor_float_32_execution(before)


def _log_parities(parities: Sequence[parity.Parity], check: ParityCheck) -> None:
    parity.log_parities(parities, len(check.images))
    if check.features is None:
        log('the model gives no features: there is no signature `features`')
    if not check.files:
        log('noise has no files: `serving_default` was not tried')


def _write(
    experiment: Experiment,
    serving: ServingGraph,
    check: ParityCheck,
    formats: Mapping[str, ExportFormat],
    folder: str,
) -> list[parity.Parity]:
    """Fill the folder of a version, and compare everything in it with the checkpoint."""
    write_saved_model(serving, experiment.hparams, experiment.run, folder)
    config = experiment.estimator.config.session_config
    parities = parity.compare_saved_model(folder, check, files.size_below(folder), config)
    for each in formats.values():
        parities.append(each.write(experiment, serving, check, folder))
    return parities


def _record(
    experiment: Experiment,
    serving: ServingGraph,
    checkpoint: str,
    best_value: float | None,
    parities: Sequence[parity.Parity],
) -> dict[str, Any]:
    """Note where a version comes from, and how near it comes to that."""
    return {
        'created': int(time.time()),
        'checkpoint': checkpoint,
        'global_step': serving.global_step,
        'run_id': experiment.run.run_id,
        'best_metric': experiment.hparams.best_metric,
        'best_value': best_value,
        'parity': {each.name: asdict(each) for each in parities},
    }
