"""Compute the length of a run, in steps."""

from __future__ import annotations

from library.config.hparams import HParams
from library.inputs.options import DataOptions
from library.runs.metadata import Run
from library.training.epochs import Epochs
from library.training.options import LengthOptions


def run_length(hparams: HParams, run: Run) -> tuple[Epochs, int]:
    """Compute how long an epoch of a training run is, and the step at which the run ends."""
    batch_size = hparams.take(DataOptions).images_per_batch(training=True)
    epochs = Epochs(run.train_examples, batch_size)
    return epochs, epochs.total_steps(hparams.take(LengthOptions))
