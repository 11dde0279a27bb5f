"""Log every evaluation of a run as one line of eval/history.jsonl, and on the screen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from library import files
from library.console import log
from library.exporters.history import HISTORY, read_history


class EvaluationLog(tf.estimator.Exporter):
    """Append metrics to a file.

    As the last of the exporters it also shows, on a resume, which checkpoints were evaluated and
    exported completely.
    """

    def __init__(self, model_dir: str, is_best: Callable[[int], bool]):
        """Make the exporter.

        Args:
          model_dir: the run's folder.
          is_best: whether the checkpoint of a step is the best so far.
        """
        self._is_best = is_best
        self._model_dir = model_dir

    @property
    def name(self) -> str:
        """Return the exporter's name."""
        return 'evaluation_log'

    def export(
        self,
        estimator: tf.estimator.Estimator,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> None:
        """Add one line; tf.estimator calls this with keywords."""
        del estimator, export_path, checkpoint_path, is_the_final_export
        metrics = plain(eval_result)
        step = metrics['global_step']
        before = read_history(self._model_dir)
        lines = [each for each in before if each['global_step'] < step] + [metrics]
        text = ''.join(json.dumps(each) + '\n' for each in lines)
        folder, name = HISTORY
        files.make_folder(files.join(self._model_dir, folder))
        files.write_atomically(files.join(self._model_dir, folder, name), text.encode())
        shown = [
            f'{name} {"not finite" if value is None else f"{value:.4f}"}'
            for name, value in sorted(metrics.items())
            if name not in ('loss', 'examples', 'global_step')
        ]
        best = '  (best so far)' if self._is_best(step) else ''
        log(f'step {step}: {"  ".join(shown)}{best}')

    def has(self, step: int) -> bool:
        """Return whether the checkpoint of this step was evaluated."""
        return any(each['global_step'] == step for each in read_history(self._model_dir))


def plain(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Convert NumPy scalars to what JSON can hold: None for what is not finite."""
    return {name: _plain(value) if np.isfinite(value) else None for name, value in metrics.items()}


def _plain(value: np.generic) -> int | float:
    """Convert one number; a float32 to the fewest digits that mean it: 0.89, not 0.889999986."""
    return float(str(value)) if value.dtype == np.float32 else value.item()
