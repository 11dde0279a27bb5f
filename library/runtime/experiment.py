"""Hold all that a mode needs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import tensorflow as tf

from library.config.hparams import HParams
from library.extras import Extras
from library.inputs.batches import InputFn, batches, offloaded, training_shard
from library.inputs.options import DataOptions, is_offloaded
from library.inputs.sharding import InputShard
from library.models.model import Model
from library.runs.metadata import Run
from library.runtime.distribution import Distribution
from library.runtime.options import CheckpointOptions, SessionOptions
from library.runtime.run_config import run_config


@dataclass(frozen=True)
class Functions:
    """What a project brings: the functions of its own files.

    Attributes:
      input_fn: images to batches, called with mode, params, images and shard.
      model_fn: the graph of a mode, as tf.estimator calls it, and with `run`.
      make_hooks: the hooks that a run asks for by name, called with params and run.
    """

    input_fn: InputFn
    model_fn: Callable[..., tf.estimator.EstimatorSpec]
    make_hooks: Callable[[HParams, Run], Sequence[tf.estimator.SessionRunHook]]


@dataclass(frozen=True)
class Experiment:
    """One run: its values, its data, and the Estimator over the project's own functions.

    Attributes:
      hparams: every option, completed by what the model says.
      run: what the run found out: its classes, its id, digests, the folders of features.
      functions: the project's own.
      model_class: the class of the model that the run names.
      train_data: the training split; None in modes that do not read it.
      eval_data: the split that is evaluated; None where no data are read at all.
      distribution: what trains, and which part of it this process is.
      extras: the optional parts of this clone.
      open_train_data: opens the training split, in modes that usually do not read it.
    """

    hparams: HParams
    run: Run
    functions: Functions
    model_class: type[Model]
    train_data: Any
    eval_data: Any
    distribution: Distribution
    extras: Extras = field(default_factory=Extras)
    open_train_data: Callable[[], Any] = lambda: None

    @functools.cached_property
    def estimator(self) -> tf.estimator.Estimator:
        """Make a tf.estimator.Estimator over the project's model_fn, whose params are `hparams`."""
        hparams = self.hparams
        config = run_config(
            hparams.model_dir,
            hparams.random_seed,
            hparams.take(CheckpointOptions),
            hparams.take(SessionOptions),
            self.distribution,
        )
        model_fn = functools.partial(self.functions.model_fn, run=self.run)
        wrapped = self.distribution.wrapped(model_fn)
        return tf.estimator.Estimator(wrapped, config=config, params=hparams)

    def batches(self, mode: str) -> Callable[..., tf.data.Dataset]:
        """Make an input_fn for the Estimator, bound to this run; `mode` is a ModeKeys."""
        hparams = self.hparams

        def input_fn(input_context: tf.distribute.InputContext | None = None) -> tf.data.Dataset:
            if mode != tf.estimator.ModeKeys.TRAIN:
                shard = InputShard(hparams.take(DataOptions).images_per_batch(training=False))
                return self._batches(mode, self.eval_data, self.run.eval_features, shard)
            context = self.distribution.input_context(input_context)
            shard = training_shard(hparams, context, hparams.augmentation)
            if is_offloaded(hparams) and not self.run.train_features:
                shard = offloaded(shard, hparams, context, self.extras.one('offload', None))
            return self._batches(mode, self.train_data, self.run.train_features, shard)

        return input_fn

    def stored_images(
        self, training: bool, augmented: bool = False, first: int = 0, batch_size: int | None = None
    ) -> tf.data.Dataset:
        """Make batches of each image of a split once, in stored order, as the model sees it.

        Args:
          training: the training images; otherwise those of evaluation.
          augmented: with the random changes of training. Image i of copy c of the split is changed
            as epoch c of the stored order would change it: by its number, c * (images) + i.
          first: number to start from; the dataset ends with the copy in which that lies.
          batch_size: images in a batch; None is that of evaluation.

        Returns:
          ({'image': uint8 [batch, size, size, 3]}, int64 [batch]) elements.
        """
        size = batch_size or self.hparams.take(DataOptions).images_per_batch(training=False)
        # A strategy places no batches here, and no device waits for them.
        shard = InputShard(size, first, augments=augmented, has_strategy=True)
        split = self.train_data if training else self.eval_data
        return self._batches(tf.estimator.ModeKeys.EVAL, split, None, shard)

    def _batches(
        self, mode: str, split: Any, features: str | None, shard: InputShard
    ) -> tf.data.Dataset:
        return batches(self.functions.input_fn, mode, self.hparams, split, features, shard)

    def unaugmented(self, shuffle_buffer: int) -> Callable[[], tf.data.Dataset]:
        """Make the training batches of one device, in a random order but unchanged.

        Args:
          shuffle_buffer: images that are shuffled together.

        Raises:
          ConfigError: there are no training data.
        """
        hparams = self.hparams.with_values('export', shuffle_buffer=shuffle_buffer, debug=False)
        plain = replace(self, hparams=hparams)
        split = self.train_data or self.open_train_data()
        shard = training_shard(hparams, None, augments=False)
        return lambda: plain._batches(tf.estimator.ModeKeys.TRAIN, split, None, shard)

    def found(self, origin: str, **values: Any) -> Experiment:
        """Return the same run with metadata that it found out since."""
        return replace(self, run=self.run.found(origin, **values))
