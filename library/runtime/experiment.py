"""All that a mode needs, put together once by run.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from library.config.hparams import HParams
from library.records.listing import Split
from library.runtime.options import CheckpointOptions, SessionOptions
from library.runtime.run_config import run_config

InputFn = Callable[..., tf.data.Dataset]


@dataclass(frozen=True)
class Experiment:
    """One run: its values, its data, and the Estimator over the project's own functions.

    Attributes:
      hparams: every option, completed by what data and model say.
      estimator: a tf.estimator.Estimator whose params are `hparams`.
      input_fn: project/input_fn.py's, called with mode and params.
      train_data: the training split; None in modes that do not read it.
      eval_data: the split that is evaluated.
    """

    hparams: HParams
    estimator: tf.estimator.Estimator
    input_fn: InputFn
    train_data: Split | None
    eval_data: Split

    def batches(self, mode: str) -> Callable[[], tf.data.Dataset]:
        """An input_fn for the Estimator, bound to this run."""

        def input_fn(input_context: tf.distribute.InputContext | None = None) -> tf.data.Dataset:
            return self.input_fn(mode, self.hparams, input_context)

        return input_fn


def make_experiment(
    hparams: HParams,
    input_fn: InputFn,
    model_fn: Callable[..., tf.estimator.EstimatorSpec],
    train_data: Split | None,
    eval_data: Split,
) -> Experiment:
    """Makes the Estimator over the project's functions, and all around it."""
    config = run_config(
        hparams.model_dir,
        hparams.random_seed,
        hparams.take(CheckpointOptions),
        hparams.take(SessionOptions),
    )
    estimator = tf.estimator.Estimator(model_fn, config=config, params=hparams)
    return Experiment(hparams, estimator, input_fn, train_data, eval_data)
