"""Open a run's folder for training: its locks, its checkpoints, its features."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from library.checkpoints.newest import newest_checkpoint
from library.checkpoints.repair import mend_checkpoints
from library.config.yaml_sets import Set
from library.console import log
from library.inputs.options import ImageOptions
from library.inputs.unseen import describe_unseen
from library.modes.feature_cache.cache import with_cached_features
from library.modes.length import run_length
from library.modes.training_checks import check_dtype, check_metrics, check_training
from library.runs.directory import empty_run_folder, link_latest
from library.runs.kept_values import changes, read_saved
from library.runs.lock import LOCK, only_trainer
from library.runs.metadata import check_fold
from library.runtime.experiment import Experiment


@contextlib.contextmanager
def opened_run(experiment: Experiment, evaluates: bool) -> Iterator[Experiment]:
    """Give the run as it will train, while no other process may use its folders.

    Args:
      experiment: the run, on images.
      evaluates: this process keeps the best checkpoints, too.

    Raises:
      MismatchError: the run's checkpoint does not fit these options, or none can be read; it was
        trained on the fold to evaluate.
      ResourceError: another process trains in this folder.
    """
    hparams = experiment.hparams
    with only_trainer(hparams.model_dir):
        if hparams.clean:
            if newest_checkpoint(hparams.model_dir):
                check_training(experiment)
            empty_run_folder(hparams.model_dir, keep=LOCK)
        if hparams.time_stamped:
            link_latest(hparams.model_dir)
        with only_trainer(hparams.best_model_dir) if evaluates else contextlib.nullcontext():
            mend_checkpoints(hparams.model_dir)
            check_metrics(experiment)
            newest = experiment.estimator.latest_checkpoint()
            saved = read_saved(hparams.model_dir)
            if newest:
                check_fold(hparams, saved)
            check_dtype(hparams, newest)
            unseen = describe_unseen(experiment.eval_data, hparams.take(ImageOptions))
            if unseen:
                log(unseen)
            ready = with_cached_features(experiment, newest)
            _log_start(ready, saved, newest)
            yield ready


def _log_start(experiment: Experiment, saved: Set | None, newest: str | None) -> None:
    """Log what is trained on, and what differs from the last start of this run.

    Args:
      experiment: the run, ready to train.
      saved: the values that its last start kept.
      newest: its newest checkpoint, which it goes on from.
    """
    hparams, model_dir = experiment.hparams, experiment.estimator.model_dir
    for change in changes(hparams, experiment.run, saved) if saved else ():
        log(f'changed since the last start: {change}')
    if hparams.warm_start_ckpt and newest:
        log(f'--warm_start_ckpt is ignored: the run goes on from its {os.path.basename(newest)}')
    train, test = experiment.train_data, experiment.eval_data
    assert train is not None
    assert test is not None
    fallback = hparams.origin('eval_split') == 'auto' and hparams.eval_split == 'test'
    why = ', as there is no validation/' if fallback else ''
    if len(train.class_names) == 1:
        log('warning: there is only one class, so there is nothing to distinguish')
    log(
        f'{train.examples} images of {len(train.class_names)} classes to train on, '
        f'{test.examples} to evaluate on ({test.folder}{why}); run: {model_dir}'
    )
    shared = experiment.distribution.describe(run_length(hparams, experiment.run)[0].batch_size)
    if shared:
        log(shared)
