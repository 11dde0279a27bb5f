"""Evaluate checkpoints, with all that follows from each: the best, the history, the end."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from library.checkpoints.fit import CheckpointFitHook
from library.console import log
from library.exporters.best_checkpoint import BestCheckpointExporter
from library.exporters.evaluation_log import EvaluationLog
from library.exporters.history import read_history
from library.exporters.options import BestOptions
from library.modes.early_stopping import EarlyStopping, with_directions
from library.modes.evaluation.confusion_summary import ConfusionSummaryHook
from library.modes.exporting.best import BestModelExporter
from library.modes.options import LoopOptions
from library.runtime.experiment import Experiment


def rules_of(experiment: Experiment) -> EarlyStopping:
    """Give the run's rules for an early end."""
    hparams = experiment.hparams
    loop = with_directions(hparams.take(LoopOptions), hparams.take(BestOptions))
    return EarlyStopping(experiment.estimator.model_dir, loop)


class Evaluations:
    """The evaluations of a run, each followed by its exporters.

    Attributes:
      rules: of an early end; they judge after each evaluation.
      spec: what tf.estimator.train_and_evaluate takes.
    """

    def __init__(
        self, experiment: Experiment, hooks: Sequence[tf.estimator.SessionRunHook] = ()
    ) -> None:
        """Prepare the evaluations.

        Args:
          experiment: the run.
          hooks: of each evaluation's session.
        """
        hparams, estimator = experiment.hparams, experiment.estimator
        self._experiment = experiment
        self.rules = rules_of(experiment)
        self._best = BestCheckpointExporter(hparams.take(BestOptions), hparams, experiment.run)
        self._models = [BestModelExporter(experiment, self._best)] if hparams.export_best else []
        self._log = EvaluationLog(estimator.model_dir, self._best.is_best)
        drawing = []
        if hparams.summary_confusion:
            drawing = [ConfusionSummaryHook(experiment.run.class_names, estimator.eval_dir())]
        self.spec = tf.estimator.EvalSpec(
            experiment.batches(tf.estimator.ModeKeys.EVAL),
            steps=hparams.eval_freq,
            hooks=[*hooks, *drawing],
            # The log comes after the best: what it lists was exported. The rules read the log.
            exporters=[self._best, *self._models, self._log, self.rules],
            start_delay_secs=0,
            throttle_secs=hparams.eval_throttle_secs,
        )

    def has(self, step: int) -> bool:
        """Return whether the checkpoint of this step was evaluated."""
        return self._log.has(step)

    def evaluate(self, checkpoint: str) -> None:
        """Evaluate and export one checkpoint; train_and_evaluate does so with those it writes.

        Args:
          checkpoint: its path, without ending.
        """
        estimator, spec = self._experiment.estimator, self.spec
        fit = CheckpointFitHook(lambda: checkpoint)
        metrics = estimator.evaluate(
            spec.input_fn, spec.steps, hooks=[fit, *spec.hooks], checkpoint_path=checkpoint
        )
        for exporter in spec.exporters:
            exporter.export(
                estimator=estimator,
                export_path='',
                checkpoint_path=checkpoint,
                eval_result=metrics,
                is_the_final_export=False,
            )

    def finish(self) -> None:
        """Log how good the best checkpoint is and where it lies; export it if it is not yet."""
        hparams, best = self._experiment.hparams, self._best.best()
        if best is not None:
            history = read_history(self._experiment.estimator.model_dir)
            metrics = [each for each in history if each['global_step'] == best.global_step]
            is_logged = hparams.best_metric == 'accuracy' or not metrics
            accuracy = '' if is_logged else f', accuracy {metrics[-1]["accuracy"]:.4f}'
            log(
                f'best: step {best.global_step}, {hparams.best_metric} {best.value:.4f}{accuracy} '
                f'on {self._experiment.eval_data.folder}, kept in {hparams.best_model_dir}'
            )
        for each in self._models:
            each.finish()
