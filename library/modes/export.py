"""Turn one checkpoint into a SavedModel for serving, and into what else is asked for."""

from __future__ import annotations

import os

from library.console import log
from library.modes.checkpoint_choice import with_chosen_checkpoint
from library.modes.exporting.exporter import check_formats, export_checkpoint, warn_of_pictures
from library.modes.exporting.formats import chosen_formats
from library.modes.exporting.parity_check import take_sample
from library.modes.serving.graph import ServingGraph
from library.runs.metadata import unknown_storage
from library.runtime.experiment import Experiment


def run(experiment: Experiment) -> int:
    """Export a checkpoint; return the exit code.

    Raises:
      ConfigError: there is no such checkpoint, or the model cannot be exported as asked for.
      MismatchError: the checkpoint does not fit the model, or an export not the checkpoint.
    """
    hparams = experiment.hparams
    check_formats(experiment)
    if text := unknown_storage(hparams.model_dir, experiment.run):
        log(f'warning: {text}')
    warn_of_pictures(experiment.run)
    # A trainer may remove the files of the checkpoint from here on.
    checkpoint, serving = with_chosen_checkpoint(
        hparams,
        experiment.run.run_id,
        lambda checkpoint, path: (checkpoint, ServingGraph(experiment, path)),
    )
    wanted = ', '.join(['SavedModel', *chosen_formats(experiment)])
    log(f'exporting {os.path.basename(checkpoint)} as {wanted}, and trying each')
    with serving:
        sample = take_sample(experiment, hparams.parity_images)
        version = export_checkpoint(experiment, serving, checkpoint, sample)
    log(f'{os.path.basename(checkpoint)} is exported to {version}')
    return 0
