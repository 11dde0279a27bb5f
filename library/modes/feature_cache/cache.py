"""Make of a run over images the same run over the features of their frozen module."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import tensorflow as tf

from library.console import log
from library.errors import DataError
from library.modes.feature_cache.building import build_features
from library.modes.feature_cache.decision import asked_by, uses_features
from library.modes.feature_cache.module_weights import check_module_weights
from library.modes.feature_cache.plan import Plan, finished_shards, is_finished, plan_features
from library.records.manifest import Manifest
from library.runs.lock import locked
from library.runtime.experiment import Experiment

NOT_AUGMENTED = (
    'warning: augmentation is not applied to features (--feature_copies N keeps N augmented copies '
    'of each image)'
)


def with_cached_features(
    experiment: Experiment, weights_from: str | None, builds: bool = True
) -> Experiment:
    """Give the same run on features, where that is asked for or cheaper; compute what is missing.

    Args:
      experiment: a run on images.
      weights_from: the run's checkpoint, for a module into which a warm start put weights; None
        before the first one.
      builds: False where another process, that must be done, computes what is not there.

    Raises:
      DataError: another process should have computed them, and they are not there.
      ConfigError: they were asked for, and there can be none.
      MismatchError: the checkpoint's module is not the one whose features the run uses.
      OSError: they were asked for, and cannot be written; unasked, the run goes on with images.
      Stopped: a signal came; what was finished is kept.
    """
    hparams, train, test = experiment.hparams, experiment.train_data, experiment.eval_data
    splits = [test] if train is None else [train, test]
    if not uses_features(hparams, experiment.run, splits, training=train is not None):
        return experiment
    copies = hparams.feature_copies if train is not None else 0
    asked = asked_by(hparams, training=train is not None)
    if train is not None and hparams.augmentation and not copies:
        log(NOT_AUGMENTED)
    if experiment.run.module_from and weights_from is not None:
        check_module_weights(weights_from, hparams.model_dir)
    plans = [_plan(experiment, split, split is train, copies) for split in splits]
    if builds:
        try:
            _complete(experiment, plans, weights_from)
        except (OSError, tf.errors.PermissionDeniedError) as error:
            # All processes that train together must do so on the same.
            if asked or not experiment.distribution.is_alone:
                raise
            log(f'warning: features cannot be kept, going on with images ({_reason(error)})')
            return experiment
    else:
        _check_there(plans)
    folders = {
        'train_features' if plan.training else 'eval_features': plan.folder for plan in plans
    }
    return experiment.found(asked or 'features of a frozen module', **folders)


def _check_there(plans: Sequence[Plan]) -> None:
    for plan in plans:
        if not is_finished(plan):
            raise DataError(
                f'{plan.folder}: the features that the chief computed are not there: all tasks '
                f'must see the same --data_dir (or --no_cache_features)'
            )


def _plan(experiment: Experiment, split: object, training: bool, copies: int) -> Plan:
    assert isinstance(split, Manifest)
    copies = copies if training else 0
    input_fn = experiment.functions.input_fn
    return plan_features(experiment.hparams, experiment.run, split, training, copies, input_fn)


def _complete(experiment: Experiment, plans: Sequence[Plan], weights_from: str | None) -> None:
    """Build what is missing, and say what is there."""
    # Both splits may be the same; sorted, so that two runs never wait for each other.
    unique = sorted({plan.folder: plan for plan in plans}.values(), key=lambda plan: plan.folder)
    total = sum(len(plan.shards) and plan.shards[-1].last for plan in unique)
    places = ' and '.join(plan.folder for plan in unique)
    found = {plan.folder: finished_shards(plan) for plan in unique}
    if not all(is_done for _, is_done in found.values()):
        with contextlib.ExitStack() as locks:
            for plan in unique:
                locks.enter_context(_only_builder(plan.folder))
            # Whoever held a lock may have done the work.
            found = {plan.folder: finished_shards(plan, found[plan.folder][0]) for plan in unique}
            done = {folder: shards for folder, (shards, _) in found.items()}
            missing = total - sum(
                shard.examples for shards in done.values() for shard in shards.values()
            )
            unfinished = [plan for plan in unique if not found[plan.folder][1]]
            if unfinished:
                log(f'features instead of images: {missing} of {total} to compute, in {places}')
                build_features(experiment, unfinished, done, weights_from)
                return
    log(f'features instead of images: all {total} are there, in {places}')


def _only_builder(folder: str) -> contextlib.AbstractContextManager[None]:
    """Hold the folder's lock, after waiting for it."""
    return locked(
        folder,
        lambda holder: log(
            f'waiting for process {holder}, which computes the features in {folder}'
        ),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f'{error.filename}: {(error.strerror or str(error)).lower()}'
    return str(error).splitlines()[0]
