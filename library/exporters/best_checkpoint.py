"""Copy the checkpoints with the best metric into a folder that is itself a model_dir."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import tensorflow as tf

from library import files
from library.checkpoints.newest import write_checkpoint_state
from library.checkpoints.snapshots import (
    Snapshot,
    copy_checkpoint,
    free_name,
    move,
    move_aside,
    own_names,
    read_state,
    remove_other_checkpoints,
)
from library.config.hparams import HParams
from library.console import log
from library.errors import ConfigError
from library.exporters.options import BestOptions, prefers_low
from library.runs.directory import BEST_STATE
from library.runs.kept_values import save
from library.runs.metadata import Run
from library.suggestions import nearest_or_all


class BestCheckpointExporter(tf.estimator.Exporter):
    """Keep the N best checkpoints of a run, across any number of restarts.

    What is best is remembered in best.json beside the snapshots, so a restart never replaces a
    better one, and a metric that is not a finite number never wins. The snapshots of another run,
    or of another metric, are moved into previous-1/ (-2, ...) inside the folder.

    A kill at any moment leaves the old best or the new one: files are copied under a temporary
    name and renamed, best.json decides, and TensorFlow's `checkpoint` file follows it.
    """

    def __init__(self, options: BestOptions, hparams: HParams, run: Run):
        """Make the exporter.

        Args:
          options: folder, metric, its direction, and how many to keep.
          hparams: written beside the snapshots, so that evaluate can rebuild the model.
          run: written likewise; its id distinguishes this run from others in the same folder.
        """
        self._folder = options.best_model_dir
        self._metric = options.best_metric
        self._lower_is_better = prefers_low(options.best_metric, options.best_metric_mode)
        self._keep = options.best_checkpoints
        self._hparams = hparams
        self._run = run
        self._run_id = run.run_id

    @property
    def name(self) -> str:
        """Return the exporter's name."""
        return 'best'

    def export(
        self,
        estimator: tf.estimator.Estimator,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> str | None:
        """Keep the checkpoint if it is among the best; tf.estimator calls this with keywords.

        Returns:
          The path of the kept checkpoint, or None if it was not good enough.

        Raises:
          ConfigError: the evaluation has no such metric.
        """
        del estimator, export_path, is_the_final_export
        check_metric(self._metric, eval_result)
        value, step = float(eval_result[self._metric]), int(eval_result['global_step'])
        if not math.isfinite(value):
            log(f'step {step}: {self._metric} is {value}, which is never the best')
            return None
        kept = self._own_snapshots()
        new = Snapshot(free_name(kept, step), step, value)
        # A run that went back to an older checkpoint reaches the same steps again.
        before = [each for each in kept if each.global_step == step]
        rivals = [each for each in kept if each not in before]
        ranked = sorted([*rivals, new], key=self._rank)[: self._keep]
        if new not in ranked or any(self._rank(each) <= self._rank(new) for each in before):
            return None
        copy_checkpoint(checkpoint_path, self._folder, new.checkpoint)
        save(self._hparams, self._run, self._folder)
        self._write_state(ranked)
        remove_other_checkpoints(self._folder, ranked)
        return files.join(self._folder, new.checkpoint)

    def best(self) -> Snapshot | None:
        """Return the best checkpoint of this run that the folder holds."""
        kept = self._present()
        return kept[0] if kept else None

    def is_best(self, step: int) -> bool:
        """Return whether the checkpoint of this step is the best so far."""
        best = self.best()
        return best is not None and best.global_step == step

    def _rank(self, snapshot: Snapshot) -> tuple[float, int]:
        """Sort the best first; of equals the older one."""
        sign = 1 if self._lower_is_better else -1
        return sign * snapshot.value, snapshot.global_step

    def _own_snapshots(self) -> list[Snapshot]:
        """Find what this run kept so far; anything else in the folder is moved aside first."""
        files.make_folder(self._folder)
        if self._snapshots_in(self._folder):
            kept = self._present()
            # A kill may have left the previous state, and files that nothing names.
            if kept:
                self._name_the_best(kept)
            remove_other_checkpoints(self._folder, kept)
            return kept
        asides = [files.join(self._folder, n) for n in files.names_in(self._folder)]
        asides = [each for each in asides if self._snapshots_in(each)]
        # Without best.json, what lies here are files of a move back that was killed.
        if not asides or files.exists(files.join(self._folder, BEST_STATE)):
            move_aside(self._folder)
        if asides:
            move(own_names(asides[0]), asides[0], self._folder)
            log(f'{self._folder}: moved the best checkpoints of this run back from {asides[0]}')
        return self._present()

    def _present(self) -> list[Snapshot]:
        """Return this run's snapshots in the folder whose files are still there."""
        names = files.names_in(self._folder)
        kept = self._snapshots_in(self._folder)
        return [each for each in kept if f'{each.checkpoint}.index' in names]

    def _snapshots_in(self, folder: str) -> list[Snapshot]:
        """Return the snapshots of this run and metric that `folder` holds, the best first."""
        state = read_state(folder)
        if state is None or {key: state.get(key) for key in self._identity} != self._identity:
            return []
        return [Snapshot(**each) for each in state['snapshots']]

    @property
    def _identity(self) -> dict[str, Any]:
        """Return what snapshots must share to be compared."""
        return {'run_id': self._run_id, 'metric': self._metric, 'lower': self._lower_is_better}

    def _write_state(self, ranked: list[Snapshot]) -> None:
        state = {**self._identity, 'snapshots': [asdict(each) for each in ranked]}
        text = json.dumps(state, indent=1) + '\n'
        files.write_atomically(files.join(self._folder, BEST_STATE), text.encode())
        self._name_the_best(ranked)

    def _name_the_best(self, ranked: list[Snapshot]) -> None:
        """Let TensorFlow take the best for the newest, which is what it restores."""
        write_checkpoint_state(self._folder, [each.checkpoint for each in reversed(ranked)])


def check_metric(metric: str, known: Iterable[str], flag: str = '--best_metric') -> None:
    """Raise ConfigError unless evaluations give this metric."""
    known = sorted(known)
    if metric not in known:
        raise ConfigError(f'{flag}: no metric {metric!r}{nearest_or_all(metric, known)}')
