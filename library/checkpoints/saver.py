"""Save checkpoints at chosen steps, and none where one already stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


class SaveWhereDueHook(tf.estimator.CheckpointSaverHook):
    """Save where `is_due` says so, and at the end.

    It differs from its base. The base counts from the last save, so that after an
    extra one (a stop by signal) saves no longer fall on the ends of epochs. And on a resume the
    base writes the checkpoint that it has just read once more, over itself: a kill in that moment
    leaves a half-written file that no later start can read.
    """

    def __init__(
        self,
        checkpoint_dir: str,
        is_due: Callable[[int, float], bool],
        listeners: Sequence[tf.estimator.CheckpointSaverListener] = (),
    ):
        """Make the hook.

        Args:
          checkpoint_dir: the run's folder.
          is_due: whether to save, given a step and the seconds since the last checkpoint.
          listeners: hear of each checkpoint.
        """
        # The base insists on a number; the timer that it makes is never asked.
        super().__init__(checkpoint_dir, save_steps=1, listeners=listeners, save_graph_def=False)
        self._is_due = is_due
        self.step = 0

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Save step 0; on a resume only tells the listeners, who expect to hear of a start."""
        step = session.run(self._global_step_tensor)
        self.step = step
        self._saved_at = time.monotonic()
        self._timer.update_last_triggered_step(step)
        newest = self._newest_checkpoint()
        if newest is None or not newest.endswith(f'-{step}'):
            self._summary_writer.add_graph(tf.compat.v1.get_default_graph())
            self._save(session, step)
            return
        for listener in self._listeners:
            listener.after_save(session, step)

    def before_run(self, run_context: Any) -> Any:
        """Fetch nothing: the step is counted here."""
        return None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Save if the step just done is due."""
        waited = self.waited()
        before, step = self.step, self.step + 1
        if self._may_skip(step, waited):
            self.step = step
            return
        # A loss scale leaves out steps whose gradients were not finite.
        self.step = step = int(run_context.session.run(self._global_step_tensor))
        if not any(self._is_due(each, waited) for each in range(before + 1, step + 1)):
            return
        self._timer.update_last_triggered_step(step)
        if self._save(run_context.session, step):
            run_context.request_stop()
        self._saved_at = time.monotonic()

    def _may_skip(self, step: int, waited: float) -> bool:
        """Return whether the step is not due; otherwise the graph is asked how many were made."""
        return not self._is_due(step, waited)

    def _newest_checkpoint(self) -> str | None:
        """Return the run's newest checkpoint, to be asked once the session is there."""
        return tf.train.latest_checkpoint(self._checkpoint_dir)

    def waited(self) -> float:
        """Return the seconds since the last checkpoint, or since the session began."""
        return time.monotonic() - self._saved_at
