"""Checkpoints with the best metric, copied apart into a folder that is itself a model_dir."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import tensorflow as tf

from library import files
from library.config.explain import SAVED_AS, save
from library.config.hparams import HParams
from library.config.yaml_sets import suggestion
from library.errors import ConfigError
from library.exporters.options import BEST_STATE, BestOptions
from library.hooks.progress import say

# TensorFlow's own name for the file that lists a folder's checkpoints.
CHECKPOINT_STATE = 'checkpoint'
PREFIX = 'model.ckpt-'
# Folders for the snapshots of other runs.
ASIDE = 'previous-'


@dataclass(frozen=True)
class Snapshot:
    """One kept checkpoint: its name in the folder, its step, and the metric that it had."""

    checkpoint: str
    global_step: int
    value: float


class BestCheckpointExporter(tf.estimator.Exporter):
    """Keeps the N best checkpoints of a run, across any number of restarts.

    What is best is remembered in best.json beside the snapshots, so a restart never replaces a
    better one, and a metric that is not a finite number never wins. The snapshots of another run,
    or of another metric, are moved into previous-1/ (-2, ...) inside the folder.

    A kill at any moment leaves the old best or the new one: files are copied under a temporary
    name and renamed, best.json decides, and TensorFlow's `checkpoint` file follows it.
    """

    def __init__(self, options: BestOptions, hparams: HParams, run_id: str):
        """Makes the exporter.

        Args:
          options: folder, metric, its direction, and how many to keep.
          hparams: written beside the snapshots, so that evaluate can rebuild the model.
          run_id: tells this run from others that wrote into the same folder.
        """
        self._folder = options.best_model_dir
        self._metric = options.best_metric
        self._lower_is_better = prefers_low(options.best_metric, options.best_metric_mode)
        self._keep = options.best_checkpoints
        self._hparams = hparams
        self._run_id = run_id

    @property
    def name(self) -> str:
        """The exporter's name."""
        return 'best'

    def export(
        self,
        estimator: tf.estimator.Estimator,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> str | None:
        """Keeps the checkpoint if it is among the best; tf.estimator calls this with keywords.

        Returns:
          The path of the kept checkpoint, or None if it was not good enough.

        Raises:
          ConfigError: the evaluation has no such metric.
        """
        del estimator, export_path, is_the_final_export
        if self._metric not in eval_result:
            known = sorted(eval_result)
            hint = suggestion(self._metric, known) or f' (there are {", ".join(known)})'
            raise ConfigError(f'--best_metric: no metric {self._metric!r}{hint}')
        value, step = float(eval_result[self._metric]), int(eval_result['global_step'])
        if not math.isfinite(value):
            say(f'step {step}: {self._metric} is {value}, which is never the best')
            return None
        kept = self._own_snapshots()
        new = Snapshot(f'{PREFIX}{step}', step, value)
        rivals = [each for each in kept if each.global_step != step]
        ranked = sorted([*rivals, new], key=self._rank)[: self._keep]
        if new not in ranked:
            return None
        _copy_checkpoint(checkpoint_path, self._folder, new.checkpoint)
        save(self._hparams, self._folder)
        self._write_state(ranked)
        _remove_other_checkpoints(self._folder, ranked)
        return files.join(self._folder, new.checkpoint)

    def best(self) -> Snapshot | None:
        """The best checkpoint of this run that the folder holds."""
        kept = self._snapshots_in(self._folder)
        return kept[0] if kept else None

    def is_best(self, step: int) -> bool:
        """True if the checkpoint of this step is the best so far."""
        best = self.best()
        return best is not None and best.global_step == step

    def _rank(self, snapshot: Snapshot) -> tuple[float, int]:
        """Sorts the best first; of equals the older one."""
        sign = 1 if self._lower_is_better else -1
        return sign * snapshot.value, snapshot.global_step

    def _own_snapshots(self) -> list[Snapshot]:
        """What this run kept so far; anything else in the folder is moved aside first."""
        files.make_folder(self._folder)
        kept = self._snapshots_in(self._folder)
        if kept:
            _write_checkpoint_state(self._folder, kept)  # a kill may have left an older one
            return kept
        asides = [files.join(self._folder, n) for n in files.names_in(self._folder)]
        asides = [each for each in asides if self._snapshots_in(each)]
        # Without best.json, what lies here are files of a move back that was killed.
        if not asides or files.exists(files.join(self._folder, BEST_STATE)):
            _move_aside(self._folder)
        if asides:
            _move(_own_names(asides[0]), asides[0], self._folder)
            say(f'{self._folder}: moved the best checkpoints of this run back from {asides[0]}')
        return self._snapshots_in(self._folder)

    def _snapshots_in(self, folder: str) -> list[Snapshot]:
        """The snapshots of this run and metric that `folder` holds, the best first."""
        state = _read_state(folder)
        if state is None or {key: state.get(key) for key in self._identity} != self._identity:
            return []
        return [Snapshot(**each) for each in state['snapshots']]

    @property
    def _identity(self) -> dict[str, Any]:
        """What snapshots must share to be compared."""
        return {'run_id': self._run_id, 'metric': self._metric, 'lower': self._lower_is_better}

    def _write_state(self, ranked: list[Snapshot]) -> None:
        state = {**self._identity, 'snapshots': [asdict(each) for each in ranked]}
        text = json.dumps(state, indent=1) + '\n'
        files.write_atomically(files.join(self._folder, BEST_STATE), text.encode())
        _write_checkpoint_state(self._folder, ranked)


def prefers_low(metric: str, mode: str) -> bool:
    """True if a smaller value of the metric is better; 'auto' decides by its name."""
    if mode == 'auto':
        return any(word in metric for word in ('loss', 'error', 'entropy'))
    return mode == 'min'


def _write_checkpoint_state(folder: str, ranked: list[Snapshot]) -> None:
    """Lets TensorFlow take the best for the newest, which is what it restores from a folder."""
    lines = [f'model_checkpoint_path: "{ranked[0].checkpoint}"']
    lines += [f'all_model_checkpoint_paths: "{each.checkpoint}"' for each in reversed(ranked)]
    text = '\n'.join(lines) + '\n'
    files.write_atomically(files.join(folder, CHECKPOINT_STATE), text.encode())


def _read_state(folder: str) -> dict[str, Any] | None:
    """What best.json says; None if there is none, or it is damaged."""
    path = files.join(folder, BEST_STATE)
    if not files.exists(path):
        return None
    try:
        state = json.loads(files.read_bytes(path))
    except ValueError:
        return None
    return state if isinstance(state, dict) and 'snapshots' in state else None


def _copy_checkpoint(source: str, folder: str, name: str) -> None:
    """Copies the files of a checkpoint; the index, without which it is none, comes last."""
    parts = [part for part in tf.io.gfile.glob(f'{source}.*') if not part.endswith('.meta')]
    parts.sort(key=lambda part: part.endswith('.index'))
    for part in parts:
        data = files.read_bytes(part)
        files.write_atomically(files.join(folder, name + part[len(source) :]), data)


def _own_names(folder: str) -> list[str]:
    """The files of an exporter in a folder; other people's files stay where they are."""
    return [
        name
        for name in files.names_in(folder)
        if name.startswith(PREFIX) or name in (BEST_STATE, CHECKPOINT_STATE, SAVED_AS)
    ]


def _move(names: list[str], source: str, target: str) -> None:
    """Moves files, best.json last: until then a rerun finds the rest where it was."""
    for name in sorted(names, key=lambda name: name == BEST_STATE):
        files.replace(files.join(source, name), files.join(target, name))


def _remove_other_checkpoints(folder: str, kept: list[Snapshot]) -> None:
    """Removes snapshots that fell out, and what a killed copy left."""
    prefixes = tuple(f'{each.checkpoint}.' for each in kept)
    for name in files.names_in(folder):
        partial = name.endswith('.partial')
        if name.startswith(PREFIX) and (partial or not name.startswith(prefixes)):
            files.remove(files.join(folder, name))


def _move_aside(folder: str) -> None:
    """Moves another run's snapshots into previous-N/."""
    foreign = _own_names(folder)
    if not foreign:
        return
    number = 1
    # A folder without best.json and these names is one that a killed move began to fill.
    while {BEST_STATE, *foreign} & set(files.names_in(files.join(folder, f'{ASIDE}{number}'))):
        number += 1
    aside = files.join(folder, f'{ASIDE}{number}')
    files.make_folder(aside)
    _move(foreign, folder, aside)
    say(f'{folder} held the best checkpoints of another run or metric: moved to {aside}')
