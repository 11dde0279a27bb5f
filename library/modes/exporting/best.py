"""Export every new best checkpoint while a run trains."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import tensorflow as tf

from library import files
from library.checkpoints.snapshots import Snapshot
from library.console import log
from library.errors import MismatchError
from library.exporters.best_checkpoint import BestCheckpointExporter
from library.modes.exporting.exporter import check_formats, export_checkpoint, warn_of_pictures
from library.modes.exporting.parity_check import Sample, take_sample
from library.modes.exporting.versions import read_records
from library.modes.options import ExportOptions
from library.modes.serving.graph import ServingGraph
from library.runtime.experiment import Experiment


class BestModelExporter(tf.estimator.Exporter):
    """Export the best checkpoint wherever no version of it is there; comes after its exporter.

    So what a kill prevented is made up for by the next evaluation, or the end of the run. A version
    that is not its checkpoint (a quantized one of an early epoch may not be) does not end the
    training: it is said at once, and once more as the error of the run if the last best one stays
    without a version. A full disk does end it.
    """

    def __init__(self, experiment: Experiment, best: BestCheckpointExporter):
        """Make the exporter.

        Args:
          experiment: the run, on images or on features.
          best: keeps the best checkpoints.

        Raises:
          ConfigError: the model cannot be exported in a format that was asked for.
        """
        # A server gets images, whatever the run was trained on.
        self._experiment = experiment.found('export', train_features=None, eval_features=None)
        check_formats(self._experiment)
        warn_of_pictures(experiment.run)
        # A folder that cannot be made is better known before the training.
        hparams = experiment.hparams
        self._folder = hparams.take(ExportOptions).folder_of(hparams.model_dir)
        files.make_folder(self._folder)
        self._best = best
        self._sample: Sample | None = None
        self._failed: tuple[Snapshot, MismatchError] | None = None

    @property
    def name(self) -> str:
        """Return the exporter's name."""
        return 'export_best'

    def export(
        self,
        estimator: tf.estimator.Estimator,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> str | None:
        """Export the best checkpoint if it is new; tf.estimator calls this with keywords."""
        del estimator, export_path, checkpoint_path, eval_result, is_the_final_export
        best = self._best.best()
        if best is None or self._is_exported(best):
            return None
        if self._failed and self._failed[0] == best:
            return None
        self._failed = None
        start = time.monotonic()
        try:
            # The training graph is this thread's, and is closed for others.
            with ThreadPoolExecutor(1) as thread:
                version = thread.submit(self._export, best).result()
        except MismatchError as error:
            self._failed = best, error
            log(f'warning: step {best.global_step} is not exported: {error}')
            return None
        seconds = time.monotonic() - start
        log(f'step {best.global_step}: exported to {version} ({seconds:.1f} s)')
        return version

    def finish(self) -> None:
        """Make up for what is missing when a run has ended.

        Raises:
          MismatchError: the best checkpoint could not be exported.
        """
        self.export(None, '', '', {}, True)
        if self._failed:
            raise self._failed[1]

    def _export(self, best: Snapshot) -> str:
        hparams = self._experiment.hparams
        checkpoint = files.join(hparams.best_model_dir, best.checkpoint)
        with ServingGraph(self._experiment, checkpoint) as serving:
            # The images of the first export do for all others.
            if self._sample is None:
                self._sample = take_sample(self._experiment, hparams.parity_images)
            return export_checkpoint(
                self._experiment, serving, checkpoint, self._sample, best.value
            )

    def _is_exported(self, best: Snapshot) -> bool:
        hparams = self._experiment.hparams
        wanted = (self._experiment.run.run_id, best.global_step, hparams.best_metric, best.value)
        names = ('run_id', 'global_step', 'best_metric', 'best_value')
        records = read_records(self._folder)
        return any(tuple(map(record.get, names)) == wanted for record in records)
