"""How fast a run trains: examples and steps a second, without its start and its evaluations."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from library.console import log
from library.hooks.due_steps import DueSteps

# Of each start: they build caches, fill the input chain and let a GPU choose its algorithms.
WARMUP_STEPS = 10


@dataclass
class Span:
    """Steps, and the seconds that they took."""

    steps: int = 0
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Counts one more step."""
        self.steps += 1
        self.seconds += seconds

    @property
    def rate(self) -> float:
        """Steps a second."""
        return self.steps / self.seconds


class ExamplesPerSecondHook(tf.estimator.SessionRunHook):
    """Tells the speed since the last time, and on average since the start.

    A step's time is what its session.run takes, waiting for data included. So the hook stands
    before the saver in the list of hooks: saving, and the evaluation that follows, come after.
    A step that a dynamic loss scale leaves out takes its time, and counts as speed.
    """

    def __init__(self, model_dir: str, batch_size: int, every_steps: int):
        """Makes the hook.

        Args:
          model_dir: the run's folder, whose events get the scalars speed/...
          batch_size: examples of a step.
          every_steps: steps from one line to the next; one more comes at the end.
        """
        self._model_dir = model_dir
        self._batch_size = batch_size
        self._steps = DueSteps(every_steps)

    def begin(self) -> None:
        """Finds the step."""
        self._steps.begin()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Starts to count."""
        self._steps.start(session)
        self._warmup = WARMUP_STEPS
        self._current, self._all = Span(), Span()

    def before_run(self, run_context: Any) -> None:
        """Starts the clock."""
        self._started = time.monotonic()

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Stops the clock, and tells the speed if that is due."""
        seconds = time.monotonic() - self._started
        due = self._steps.reached(run_context.session)
        if self._warmup:
            self._warmup -= 1
            return
        self._current.add(seconds)
        self._all.add(seconds)
        if due:
            self._log_speed()

    def end(self, session: Any) -> None:
        """Tells the speed of the last steps."""
        if self._current.steps:
            self._steps.ask(session)
            self._log_speed()

    def _log_speed(self) -> None:
        step, current, average = self._steps.step, self._current.rate, self._all.rate
        log(
            f'step {step}: {current * self._batch_size:.1f} examples/s '
            f'(average {average * self._batch_size:.1f}), '
            f'{current:.2f} steps/s (average {average:.2f})'
        )
        values = {
            'examples_per_second': current * self._batch_size,
            'examples_per_second_average': average * self._batch_size,
            'steps_per_second': current,
            'steps_per_second_average': average,
        }
        summary = tf.compat.v1.Summary()
        for name, value in values.items():
            summary.value.add(tag=f'speed/{name}', simple_value=value)
        tf.compat.v1.summary.FileWriterCache.get(self._model_dir).add_summary(summary, step)
        self._current = Span()
