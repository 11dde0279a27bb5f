"""Hold variables until all who train have ended."""

from __future__ import annotations

import time

import tensorflow as tf

from extras.cluster.distribution import cluster_of
from extras.cluster.job_notes import read_ended, read_task_end
from extras.cluster.joint_training import met, watched
from extras.cluster.options import ClusterOptions
from extras.cluster.rendezvous import ask_all
from extras.cluster.stop_request import ALL_ON, TaskStopRequest
from extras.cluster.tasks import Cluster
from extras.cluster.training_end import follow_chief
from library.console import log
from library.runtime.experiment import Experiment

LOOK_SECONDS = 1.0


def serve(experiment: Experiment) -> None:
    """Serve as long as anybody trains; see `train.run` for what it raises."""
    if not met(experiment):
        return
    cluster = cluster_of(experiment)
    server = _start_server(cluster)
    log(f'{cluster.own}: serving variables to {len(cluster.trainers)} tasks')
    with TaskStopRequest(ALL_ON, saves=False) as request, watched(experiment):
        workers = Workers(experiment)
        while not workers.have_ended():
            request.raise_if_asked()
            time.sleep(LOOK_SECONDS)
        follow_chief(experiment, request)
        request.raise_if_asked()
    # It must be held until here: a server that nobody refers to may end.
    del server


def _start_server(cluster: Cluster) -> tf.distribute.Server:
    """Start TensorFlow's server, which ends with the process."""
    # A GPU would be of no use, and its memory is the workers'.
    config = tf.compat.v1.ConfigProto(device_count={'GPU': 0})
    return tf.distribute.Server(cluster.jobs, cluster.own.job, cluster.own.index, config=config)


class Workers:
    """Chief and workers, as far as they need variables."""

    def __init__(self, experiment: Experiment):
        self._tasks = cluster_of(experiment).trainers
        self._model_dir = experiment.hparams.model_dir
        # One that is just starting cannot be seen between its own port and TensorFlow's server.
        self._patience = experiment.hparams.take(ClusterOptions).peer_timeout
        self._last_seen = time.monotonic()

    def have_ended(self) -> bool:
        """Return whether training has ended, and nobody needs the variables any more."""
        ends = {task: read_task_end(self._model_dir, task) for task in self._tasks}
        left = [task for task, end in ends.items() if end is None or end.exit_code]
        if not left:
            return True
        answers = ask_all(left).values()
        is_over = read_ended(self._model_dir) is not None
        if not is_over or any(answer.is_there for answer in answers):
            self._last_seen = time.monotonic()
            return False
        return time.monotonic() - self._last_seen > self._patience
