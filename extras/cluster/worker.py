"""Train along with the chief, and write nothing."""

from __future__ import annotations

import tempfile

from extras.cluster.distribution import cluster_of, distribution_of
from extras.cluster.joint_training import met, train_together, watched
from extras.cluster.kind import MULTI_WORKER
from extras.cluster.stop_request import ALL_ON, TaskStopRequest
from extras.cluster.training_end import chief_has_ended, follow_chief
from extras.cluster.training_hooks import hooks_of_worker
from library import files
from library.console import log
from library.modes.feature_cache.cache import with_cached_features
from library.modes.training_checks import check_shared_batch
from library.runtime.experiment import Experiment


def work(experiment: Experiment) -> None:
    """Train as a worker; see `train.run` for what it raises."""
    check_shared_batch(experiment)
    cluster, model_dir = cluster_of(experiment), experiment.hparams.model_dir
    if not met(experiment):
        return
    is_ended = chief_has_ended(model_dir)
    log(f'{cluster.own}: training with {cluster.chief}')
    saves = distribution_of(experiment).kind == MULTI_WORKER
    way_on = ALL_ON if saves else 'the other tasks go on, and the same command joins them again'
    scratch_dir = tempfile.mkdtemp(prefix='checkpoints-')
    with TaskStopRequest(way_on, saves) as request, watched(experiment, scratch_dir):
        newest = experiment.estimator.latest_checkpoint()
        ready = with_cached_features(experiment, newest, builds=False)
        train_together(ready, hooks_of_worker(ready, request, is_ended, scratch_dir))
        # What TensorFlow lets workers write so that their sums are made: nobody reads it.
        unread = files.join(model_dir, f'tmp_{cluster.own.job}_{cluster.own.index}')
        if files.is_folder(unread):
            files.remove_all(unread)
        follow_chief(ready, request)
        request.raise_if_asked()
