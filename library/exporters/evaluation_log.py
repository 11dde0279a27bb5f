"""Every evaluation of a run as one line of eval/history.jsonl, and on the screen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from library import files
from library.hooks.progress import say


class EvaluationLog(tf.estimator.Exporter):
    """Appends metrics to a file.

    As the last of the exporters it also tells, on a resume, which checkpoints were evaluated and
    exported to the end.
    """

    def __init__(self, model_dir: str):
        self._folder = files.join(model_dir, 'eval')
        self.path = files.join(self._folder, 'history.jsonl')

    @property
    def name(self) -> str:
        """The exporter's name."""
        return 'evaluation_log'

    def export(
        self,
        estimator: tf.estimator.Estimator,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> None:
        """Adds one line; tf.estimator calls this with keywords."""
        del estimator, export_path, checkpoint_path, is_the_final_export
        metrics = {name: value.item() for name, value in eval_result.items()}
        step = metrics['global_step']
        lines = [each for each in self.read() if each['global_step'] < step] + [metrics]
        text = ''.join(json.dumps(each) + '\n' for each in lines)
        files.make_folder(self._folder)
        files.write_atomically(self.path, text.encode())
        shown = [
            f'{name} {value:.4f}'
            for name, value in sorted(metrics.items())
            if name not in ('loss', 'examples', 'global_step')
        ]
        say(f'step {step}: {"  ".join(shown)}')

    def read(self) -> list[dict[str, Any]]:
        """The metrics of all evaluations so far, by step."""
        if not files.exists(self.path):
            return []
        return [json.loads(line) for line in files.read_bytes(self.path).splitlines()]

    def has(self, step: int) -> bool:
        """True if the checkpoint of this step was evaluated."""
        return any(each['global_step'] == step for each in self.read())
