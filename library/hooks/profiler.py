"""Trace where the time of a step goes: timeline-STEP.json, to open in chrome://tracing."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class FewTracesHook(tf.estimator.SessionRunHook):
    """A ProfilerHook that ends after some traces: each takes time, and some megabytes.

    tf.estimator.ProfilerHook opens an event file in its constructor, which only works inside a
    graph; so it is made once there is one.
    """

    def __init__(self, model_dir: str, every_steps: int, traces: int):
        """Make the hook.

        Args:
          model_dir: where the files go; the run's events get the figures of the same steps.
          every_steps: steps from one trace to the next, and from the start to the first.
          traces: how many of each start.
        """
        self._model_dir = model_dir
        self._every = every_steps
        self._left = traces

    def begin(self) -> None:
        """Make the hook that does the work."""
        self._profiler = tf.estimator.ProfilerHook(
            save_steps=self._every, output_dir=self._model_dir
        )
        self._profiler.begin()

    def before_run(self, run_context: Any) -> Any:
        """Ask for a trace if one is due."""
        return self._profiler.before_run(run_context) if self._left else None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Write the trace, if there is one."""
        if self._left:
            self._profiler.after_run(run_context, run_values)
            self._left -= run_values.options.trace_level == tf.compat.v1.RunOptions.FULL_TRACE
