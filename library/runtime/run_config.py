"""Make the RunConfig of an Estimator."""

from __future__ import annotations

import logging

import tensorflow as tf

from library.cores import find_cores
from library.runtime.distribution import Distribution
from library.runtime.options import CheckpointOptions, SessionOptions


def session_config(options: SessionOptions) -> tf.compat.v1.ConfigProto:
    """Make the session's settings; report cores that may not be used, warn of useless XLA."""
    cores = find_cores()
    # TensorFlow sees the machine and CPU affinity, but no quota.
    threads = cores.usable if cores.reason else 0
    if cores.reason:
        logging.getLogger(__name__).info(str(cores))
    config = tf.compat.v1.ConfigProto(
        inter_op_parallelism_threads=options.inter_op_threads or threads,
        intra_op_parallelism_threads=options.intra_op_threads or threads,
        allow_soft_placement=True,
    )
    config.gpu_options.allow_growth = options.gpu_growth
    if options.xla:
        config.graph_options.optimizer_options.global_jit_level = tf.compat.v1.OptimizerOptions.ON_1
        if not tf.config.get_visible_devices('GPU'):
            logging.getLogger(__name__).warning(
                'warning: --xla has no effect without a GPU, and none was found'
            )
    return config


def run_config(
    model_dir: str,
    random_seed: int,
    checkpoints: CheckpointOptions,
    session: SessionOptions,
    distribution: Distribution,
) -> tf.estimator.RunConfig:
    """Make the RunConfig of a run.

    Args:
      model_dir: the run's folder.
      random_seed: of graph-level operations.
      checkpoints: how many are kept.
      session: how TensorFlow uses the machine.
      distribution: what trains.

    When checkpoints are written is the training loop's business: it brings a hook of its own.
    """
    keep = checkpoints.keep_checkpoint_max
    return tf.estimator.RunConfig(
        model_dir=model_dir,
        tf_random_seed=random_seed,
        save_summary_steps=checkpoints.save_summary_steps,
        save_checkpoints_steps=None,
        save_checkpoints_secs=None,
        # For the Saver None is all; -1 is an error.
        keep_checkpoint_max=keep if keep > 0 else None,
        log_step_count_steps=checkpoints.save_summary_steps,
        **distribution.run_config(session_config(session)),
    )
