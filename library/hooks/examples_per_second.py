"""Report how fast a run trains: examples and steps a second, without start and evaluations."""

from __future__ import annotations

import time
from typing import Any

import tensorflow as tf

from library.console import log
from library.hooks.every_steps import EveryStepsHook

# Of each start: they build caches, fill the input chain and let a GPU choose its algorithms.
WARMUP_STEPS = 10


class ExamplesPerSecondHook(EveryStepsHook):
    """Tell the speed since the last time, and on average since the start.

    A step's time is what its session.run takes, waiting for data included. So the hook stands
    before the saver in the list of hooks: saving, and the evaluation that follows, come after.
    A step that a dynamic loss scale leaves out takes its time, and counts as speed.
    """

    def __init__(self, model_dir: str, batch_size: int, every_steps: int):
        """Make the hook.

        Args:
          model_dir: the run's folder, whose events get the scalars speed/...
          batch_size: examples of a step.
          every_steps: steps from one line to the next; one more comes at the end.
        """
        super().__init__(every_steps)
        self._model_dir = model_dir
        self._batch_size = batch_size

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Start to count."""
        super().after_create_session(session, coord)
        self._warmup = WARMUP_STEPS
        # Since the start, and until the speed was told last.
        self._steps = self._last_steps = 0
        self._seconds = self._last_seconds = 0.0

    def before_run(self, run_context: Any) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Stop the clock, and tell the speed if that is due."""
        seconds = time.monotonic() - self._started
        if self._warmup:
            self._warmup -= 1
        else:
            self._steps += 1
            self._seconds += seconds
        super().after_run(run_context, run_values)

    def end(self, session: Any) -> None:
        """Tell the speed of the last steps."""
        self.ask(session)
        self.tell(None)

    def tell(self, values: Any) -> None:
        """Log and draw the speed, once there is one."""
        steps = self._steps - self._last_steps
        if not steps:
            return
        current = steps / (self._seconds - self._last_seconds)
        average = self._steps / self._seconds
        log(
            f'step {self.step}: {current * self._batch_size:.1f} examples/s '
            f'(average {average * self._batch_size:.1f}), '
            f'{current:.2f} steps/s (average {average:.2f})'
        )
        speeds = {
            'examples_per_second': current * self._batch_size,
            'examples_per_second_average': average * self._batch_size,
            'steps_per_second': current,
            'steps_per_second_average': average,
        }
        summary = tf.compat.v1.Summary()
        for name, value in speeds.items():
            summary.value.add(tag=f'speed/{name}', simple_value=value)
        tf.compat.v1.summary.FileWriterCache.get(self._model_dir).add_summary(summary, self.step)
        self._last_steps, self._last_seconds = self._steps, self._seconds
