"""Collect the gradients of several workers for each step.

Otherwise a worker beside parameter servers changes the variables as soon as it has a gradient,
which the others' changes have made stale by then (Chen et al. 2016, arXiv:1604.00981).
"""

from __future__ import annotations

import contextlib
import threading
from typing import Any, TypeAlias

import tensorflow as tf

from library.runtime.distribution import ModelFn
from library.training.train_op import Optimizer, wrapping_optimizers

SyncReplicasOptimizer: TypeAlias = tf.compat.v1.train.SyncReplicasOptimizer


def collecting(model_fn: ModelFn, gradients: int) -> ModelFn:
    """Wrap a model_fn, for training, so that its optimizer collects gradients.

    Args:
      model_fn: as tf.estimator calls it; makes its train_op by `make_train_op`.
      gradients: that are averaged for one step; gradients count, whichever workers they are from.
    """

    def collects(
        features: Any, labels: Any, mode: str, params: Any, config: tf.estimator.RunConfig
    ) -> tf.estimator.EstimatorSpec:
        hooks = []

        def wrap(optimizer: Optimizer) -> Optimizer:
            collecting = SyncReplicasOptimizer(optimizer, gradients, config.num_worker_replicas)
            hooks.append(SyncReplicasHook(collecting, config.is_chief))
            return collecting

        with wrapping_optimizers(wrap):
            spec = model_fn(features, labels, mode, params, config)
        return spec._replace(training_hooks=[*spec.training_hooks, *hooks])

    return collects


class SyncReplicasHook(tf.estimator.SessionRunHook):
    """Hands out steps to the workers, in the chief; without it no worker would get on.

    The optimizer's own hook does so in a thread that the session's coordinator waits for at the
    end, while it waits for gradients that never come: two minutes.
    """

    def __init__(self, optimizer: SyncReplicasOptimizer, is_chief: bool):
        self._optimizer = optimizer
        self._is_chief = is_chief

    def begin(self) -> None:
        """Add what starts the optimizer's counters to the graph."""
        optimizer = self._optimizer
        self._missing = optimizer.ready_for_local_init_op
        if not self._is_chief:
            self._start = [optimizer.local_step_init_op]
            return
        runner = optimizer.get_chief_queue_runner()
        (self._hand_out,), self._cancel = runner.enqueue_ops, runner.cancel_op
        self._start = [optimizer.chief_init_op]
        self._first_tokens = optimizer.get_init_tokens_op()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Start the counters, and in the chief the thread."""
        missing = session.run(self._missing)
        assert not len(missing), missing
        session.run(self._start)
        if self._is_chief:
            session.run(self._first_tokens)
            threading.Thread(target=self._serve, args=[session, coord], daemon=True).start()

    def _serve(self, session: Any, coord: Any) -> None:
        """Hand out the workers' turns, step after step, until the session is closed."""
        while True:
            try:
                session.run(self._hand_out)
            # RuntimeError: the session is closed already.
            except (tf.errors.OpError, RuntimeError) as error:
                if not coord.should_stop():
                    self._report(error, session, coord)
                return

    def _report(self, error: Exception, session: Any, coord: Any) -> None:
        """Let the main thread raise an error, although it may be waiting for its turn."""
        coord.request_stop(error)
        # After one of these a new session goes on with the same queue.
        if not isinstance(error, tf.errors.AbortedError | tf.errors.UnavailableError):
            with contextlib.suppress(tf.errors.OpError, RuntimeError):
                session.run(self._cancel)
