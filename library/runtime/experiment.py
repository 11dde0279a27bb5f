"""All that a mode needs, put together once by run.py."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import tensorflow as tf

from library.config.hparams import HParams
from library.extras import Extras
from library.records.listing import Split
from library.runtime.cluster import read_cluster, tell_tensorflow
from library.runtime.distribution import Distribution, make_distribution
from library.runtime.options import CheckpointOptions, DistributionOptions, SessionOptions
from library.runtime.run_config import run_config

InputFn = Callable[..., tf.data.Dataset]


@dataclass(frozen=True)
class Functions:
    """What a project brings: the functions of its own files.

    Attributes:
      input_fn: the batches of a mode, called with mode and params.
      model_fn: the graph of a mode, as tf.estimator calls it.
      stored_images: each image of a split once, in stored order, as the model would see it.
      make_hooks: the hooks that a run asks for by name.
      serving_images: encoded images, whatever their size, as the model sees them in evaluation.
      stored_files: name and JPEG of chosen images of the evaluation, by their number in it.
      make_model: the model that the run names, to build one graph.
    """

    input_fn: InputFn
    model_fn: Callable[..., tf.estimator.EstimatorSpec]
    stored_images: InputFn
    make_hooks: Callable[[HParams], Sequence[tf.estimator.SessionRunHook]]
    serving_images: Callable[[tf.Tensor, HParams], tf.Tensor]
    stored_files: Callable[[HParams, Collection[int]], Iterator[tuple[int, str, bytes]]]
    make_model: Callable[[HParams], Any]


@dataclass(frozen=True)
class Experiment:
    """One run: its values, its data, and the Estimator over the project's own functions.

    Attributes:
      hparams: every option, completed by what data and model say.
      estimator: a tf.estimator.Estimator whose params are `hparams`.
      functions: the project's own.
      train_data: the training split; None in modes that do not read it.
      eval_data: the split that is evaluated; None where no data are read at all.
      distribution: what trains, and which part of it this process is.
      extras: the optional parts of this clone.
    """

    hparams: HParams
    estimator: tf.estimator.Estimator
    functions: Functions
    train_data: Split | None
    eval_data: Split | None
    distribution: Distribution
    extras: Extras = field(default_factory=Extras)

    def batches(self, mode: str) -> Callable[[], tf.data.Dataset]:
        """An input_fn for the Estimator, bound to this run."""

        def input_fn(input_context: tf.distribute.InputContext | None = None) -> tf.data.Dataset:
            if mode == tf.estimator.ModeKeys.TRAIN:
                input_context = self.distribution.input_context(input_context)
            return self.functions.input_fn(mode, self.hparams, input_context)

        return input_fn

    def with_values(self, origin: str, **values: Any) -> Experiment:
        """The same run, in which some values are replaced by what was found out since."""
        hparams = self.hparams.with_values(origin, **values)
        estimator = _estimator(hparams, self.functions, self.distribution)
        return replace(self, hparams=hparams, estimator=estimator)


def make_experiment(
    hparams: HParams,
    functions: Functions,
    train_data: Split | None,
    eval_data: Split | None,
    extras: Extras,
) -> Experiment:
    """Makes the Estimator over the project's functions, and all around it.

    Raises:
      ConfigError: there are no such devices.
    """
    if hparams.deterministic:
        tf.config.experimental.enable_op_determinism()
    # Other modes than training have no such options, and work alone wherever they run.
    training = 'distribution' in hparams
    options = hparams.take(DistributionOptions) if training else DistributionOptions()
    cluster = read_cluster(os.environ) if training else None
    tell_tensorflow(cluster, os.environ)
    distribution = make_distribution(options, cluster)
    if options.sync_replicas and not options.replicas_to_aggregate:
        # Batches are divided by what is collected: one number, for both.
        hparams = hparams.with_values('the cluster', replicas_to_aggregate=distribution.replicas)
    estimator = _estimator(hparams, functions, distribution)
    return Experiment(hparams, estimator, functions, train_data, eval_data, distribution, extras)


def _estimator(
    hparams: HParams, functions: Functions, distribution: Distribution
) -> tf.estimator.Estimator:
    config = run_config(
        hparams.model_dir,
        hparams.random_seed,
        hparams.take(CheckpointOptions),
        hparams.take(SessionOptions),
        distribution,
    )
    return tf.estimator.Estimator(functions.model_fn, config=config, params=hparams)
