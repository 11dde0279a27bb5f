"""Help another task to save."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from library.checkpoints.saver import SaveWhereDueHook


class SaveInScratchHook(SaveWhereDueHook):
    """Saves along with the chief, in a folder that nobody reads.

    What is summed up over all tasks to be saved must be so in each of them.
    """

    def __init__(
        self,
        checkpoint_dir: str,
        scratch_dir: str,
        is_due: Callable[[int, float], bool],
        listeners: Sequence[tf.estimator.CheckpointSaverListener] = (),
    ):
        """Make the hook.

        Args:
          checkpoint_dir: the run's folder.
          scratch_dir: where to save.
          is_due: see SaveWhereDueHook.
          listeners: hear of each checkpoint.
        """
        super().__init__(scratch_dir, is_due, listeners)
        self._run_dir = checkpoint_dir

    def begin(self) -> None:
        """Note where the run stands: by the time that this task saves, there may be more."""
        self._newest = tf.train.latest_checkpoint(self._run_dir)
        super().begin()

    def _newest_checkpoint(self) -> str | None:
        return self._newest
