"""Make the hooks that `--hooks` names: a function each, and one line in HOOKS at the end.

A function takes the HParams and the metadata of a run and gives a hook, or None. It imports what it
needs itself: names must be known before TensorFlow is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from library.config.fields import HYPERPARAMETERS
from library.config.hparams import HParams
from library.inputs.options import DataOptions
from library.runs.metadata import Run

if TYPE_CHECKING:
    import tensorflow as tf

    Hook: TypeAlias = tf.estimator.SessionRunHook


def environment(params: HParams, run: Run) -> Hook:
    """Record machine, versions and code at each start: environment.json."""
    from library.hooks.environment_log import EnvironmentLogHook
    from library.runtime.machine import describe

    return EnvironmentLogHook(params.model_dir, describe)


def hparams(params: HParams, run: Run) -> Hook:
    """Add the run's row to TensorBoard's HParams table."""
    from library.hooks.hparams_table import HParamsTableHook
    from library.modes.length import run_length

    epochs, total = run_length(params, run)
    learned = {
        name: entry.value
        for name, entry in params.entries().items()
        if entry.option.home == HYPERPARAMETERS
    }
    values = {'model': params.model, 'batch_size': epochs.batch_size} | learned
    return HParamsTableHook(params.model_dir, values, total)


def logging_tensors(params: HParams, run: Run) -> Hook:
    """Print chosen tensors on one line."""
    from library.hooks.logging_tensors import NamedTensorsHook

    return NamedTensorsHook(params.log_tensors, params.logging_tensors_steps)


def metrics(params: HParams, run: Run) -> Hook:
    """Log loss, learning rate and accuracy as JSON: metrics.jsonl."""
    from library.hooks.metrics_log import MetricsLogHook

    return MetricsLogHook(params.model_dir, params.metrics_steps)


def examples_per_second(params: HParams, run: Run) -> Hook:
    """Report the speed, as a line and in TensorBoard."""
    from library.hooks.examples_per_second import ExamplesPerSecondHook

    batch_size = params.take(DataOptions).images_per_batch(training=True)
    return ExamplesPerSecondHook(params.model_dir, batch_size, params.examples_per_second_steps)


def profiler(params: HParams, run: Run) -> Hook:
    """Trace where the time of single steps goes: timeline-STEP.json."""
    from library.hooks.profiler import FewTracesHook

    return FewTracesHook(params.model_dir, params.profiler_steps, params.profiler_traces)


HOOKS: dict[str, Callable[[HParams, Run], Hook | None]] = {
    'environment': environment,
    'hparams': hparams,
    'logging_tensors': logging_tensors,
    'metrics': metrics,
    'examples_per_second': examples_per_second,
    'profiler': profiler,
}
