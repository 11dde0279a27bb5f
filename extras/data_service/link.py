"""Hand the chain of training images to a tf.data service: one link, behind the batches."""

from __future__ import annotations

import tensorflow as tf

from extras.data_service.job import begin_job, job_name
from extras.data_service.service import count_workers, distribute_to_service
from library.config.hparams import HParams


def shards_of(hparams: HParams) -> int:
    """Count the shards of an epoch: one for each worker of the service.

    The service deals them out, so that no process has a part of its own.

    Raises:
      ConfigError: data_service is no address.
      ResourceError: no dispatcher answers there, or it has no workers.
    """
    return count_workers(hparams.data_service)


def distribute(dataset: tf.data.Dataset, hparams: HParams, several: bool) -> tf.data.Dataset:
    """Let the workers of the service run all links before this one.

    Args:
      dataset: batches of images and labels, over the parts of `shards_of`.
      hparams: every option of the run.
      several: processes train together, and share one stream of batches.

    Raises:
      ResourceError: several processes train, and the chief named no stream for them.
    """
    job = job_name(hparams.model_dir) if several else None
    return distribute_to_service(dataset, hparams.data_service, job)


def before_training_together(hparams: HParams, others_are_running: bool) -> None:
    """Give this start a stream of its own; called by the chief, before any task reads.

    Args:
      hparams: every option of the run.
      others_are_running: tasks that train already go on to read the stream of before.
    """
    if hparams.data_service and not others_are_running:
        begin_job(hparams.model_dir)
