"""Write planned shards: the images go through the frozen module, once."""

from __future__ import annotations

import contextlib
import errno
import io
import shutil
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf
import tqdm

from library import files
from library.checkpoints.fit import check_fit
from library.checkpoints.scopes import MODULE
from library.errors import DataError
from library.models.module_loading import warn_of_randomness
from library.modes.feature_cache.plan import Plan, PlannedShard
from library.records.feature_manifest import (
    MANIFEST,
    UNFINISHED,
    FeatureManifest,
    FeatureShard,
    write_manifest,
)
from library.records.features import write_feature_shard
from library.runtime.experiment import Experiment
from library.training.options import FineTuningOptions
from library.training.warm_start import warm_start

FLOAT_BYTES = 4


def build_features(
    experiment: Experiment,
    plans: Sequence[Plan],
    done: Mapping[str, dict[str, FeatureShard]],
    weights_from: str | None,
) -> None:
    """Compute what is missing; the plans' folders must be there, and locked.

    Every finished shard stays, whatever ends the process after it.

    Args:
      experiment: the run, on images.
      plans: what is wanted.
      done: by folder, the shards that are there, by their names; what is computed comes to them.
      weights_from: the run's checkpoint, for a module into which a warm start put weights; None
        before the first one.

    Raises:
      DataError: there are fewer images than the manifest counts.
      MismatchError: the checkpoint does not hold the module's weights.
      OSError: there is no room, or the folder may not be written.
    """
    missing = {
        plan.folder: [shard for shard in plan.shards if shard.name not in done[plan.folder]]
        for plan in plans
    }
    images = sum(_examples(shards) for shards in missing.values())
    with tf.Graph().as_default():
        network = _Network(experiment, weights_from)
        _check_room(images, network.depth, plans[0].folder)
        # disable=None: no bar where nobody looks (a log file).
        bar = tqdm.tqdm(total=images, unit='image', desc='features', disable=None)
        with network.session, bar:
            for plan in plans:
                for shards in _runs(missing[plan.folder], plan.examples):
                    rows = network.features(plan, shards[0].first, bar)
                    _write(plan, shards, rows, done[plan.folder], network.depth)
    for plan in plans:
        _finish(plan, done[plan.folder], network.depth)


class _Network:
    """The module in a session of its own; the class count of its head does not matter."""

    def __init__(self, experiment: Experiment, weights_from: str | None):
        self._experiment = experiment
        # Of all splits and copies alike: one graph, whose module loads once.
        element = experiment.stored_images(training=False).element_spec
        self._iterator = tf.compat.v1.data.Iterator.from_structure(
            tf.nest.map_structure(lambda spec: spec.dtype, element),
            tf.nest.map_structure(lambda spec: spec.shape, element),
        )
        features, self._labels = self._iterator.get_next()
        estimator = experiment.estimator
        mode = tf.estimator.ModeKeys.PREDICT
        spec = estimator.model_fn(features, None, mode, estimator.config)
        self._features = spec.predictions['features']
        # Training on features builds no module that could tell of it.
        warn_of_randomness(f'--model {experiment.hparams.model}', features['image'], self._features)
        self.depth = int(self._features.shape[-1])
        self.session = tf.compat.v1.Session(config=estimator.config.session_config)
        self._initialize(weights_from if experiment.run.module_from else None)

    def features(
        self, plan: Plan, first: int, bar: tqdm.tqdm
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield features, float32 [batch, depth], and labels, int64 [batch], from a number on."""
        images = self._experiment.stored_images(plan.training, plan.copies > 0, first)
        self.session.run(self._iterator.make_initializer(images))
        while True:
            try:
                batch = self.session.run((self._features, self._labels))
            except tf.errors.OutOfRangeError:
                return
            bar.update(len(batch[1]))
            yield batch

    def _initialize(self, checkpoint: str | None) -> None:
        """Load the module's weights: its own, or those that a warm start put there."""
        hparams = self._experiment.hparams
        if self._experiment.run.module_from and checkpoint is None:
            # Training tells of it.
            with contextlib.redirect_stdout(io.StringIO()):
                warm_start(hparams.take(FineTuningOptions), len(self._experiment.run.class_names))
        self.session.run(
            [
                tf.compat.v1.global_variables_initializer(),
                tf.compat.v1.local_variables_initializer(),
                tf.compat.v1.tables_initializer(),
            ]
        )
        if checkpoint is not None:
            module = {
                variable.op.name: variable
                for variable in tf.compat.v1.global_variables()
                if variable.op.name.startswith(MODULE)
            }
            # A module may have no variables, and a Saver of none raises.
            if module:
                check_fit({name: module[name].shape for name in module}, checkpoint)
                tf.compat.v1.train.Saver(module).restore(self.session, checkpoint)


def _write(
    plan: Plan,
    shards: Sequence[PlannedShard],
    rows: Iterator[tuple[np.ndarray, np.ndarray]],
    done: dict[str, FeatureShard],
    depth: int,
) -> None:
    """Write shards that follow each other, and note each in `done` and on the disk."""
    features, labels = np.empty([0, depth], np.float32), np.empty([0], np.int64)
    for shard in shards:
        wanted = _examples([shard])
        while len(labels) < wanted:
            batch = next(rows, None)
            if batch is None:
                raise DataError(f'{plan.folder}: there are fewer images than the manifest counts')
            features = np.concatenate([features, batch[0]])
            labels = np.concatenate([labels, batch[1]])
        done[shard.name] = write_feature_shard(
            plan.folder, shard.name, features[:wanted], labels[:wanted]
        )
        write_manifest(_manifest(plan, done, depth), UNFINISHED)
        features, labels = features[wanted:], labels[wanted:]


def _finish(plan: Plan, done: dict[str, FeatureShard], depth: int) -> None:
    """Write the manifest, by which the features are known to be all there."""
    write_manifest(_manifest(plan, done, depth), MANIFEST)
    unfinished = files.join(plan.folder, UNFINISHED)
    if files.exists(unfinished):
        files.remove(unfinished)


def _manifest(plan: Plan, done: dict[str, FeatureShard], depth: int) -> FeatureManifest:
    shards = tuple(done[shard.name] for shard in plan.shards if shard.name in done)
    return FeatureManifest(plan.made_from, max(plan.copies, 1), depth, shards, plan.folder)


def _examples(shards: Sequence[PlannedShard]) -> int:
    return sum(shard.last - shard.first for shard in shards)


def _runs(shards: Sequence[PlannedShard], examples: int) -> Iterator[list[PlannedShard]]:
    """Group shards that follow each other within one copy: they are read in one go."""
    run: list[PlannedShard] = []
    for shard in shards:
        if run and (shard.first != run[-1].last or shard.first % examples == 0):
            yield run
            run = []
        run.append(shard)
    if run:
        yield run


def _check_room(images: int, depth: int, folder: str) -> None:
    """Raise OSError now, and not after hours, if the disk cannot take the features."""
    needed = images * depth * FLOAT_BYTES
    if not files.is_remote(folder) and needed > shutil.disk_usage(folder).free:
        text = f'no room for {needed / 1e6:.0f} MB of features'
        raise OSError(errno.ENOSPC, text, folder)
