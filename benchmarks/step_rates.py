"""Measure training steps/s inside a real run, and of a bare loop over the same graph and batch.

A run is what `run.py train` starts: the project's input_fn, model_fn, Estimator and all hooks. One
more hook times its steps after a warm-up and then breaks it off; it saves and evaluates nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf
import tqdm

import run
from benchmarks.rates import Measurement, Row, measure_in_turns, to_rows
from library.config.hparams import HParams
from library.modes import train
from library.runtime.experiment import Experiment

ROOT = Path(__file__).resolve().parents[1]
TRAIN = tf.estimator.ModeKeys.TRAIN
ESTIMATOR, BARE = 'Estimator', 'bare loop'
# Longer than any measurement: no checkpoint falls into it.
NEVER = 10**9
# Part of a measurement's time that does not count: input buffers fill up first.
WARM_UP = 0.5
# What MobileNets and small EfficientNets give for an image.
DEPTH = 1280


@dataclass(frozen=True)
class Case:
    """What is trained.

    Attributes:
      name: stands in the table.
      flags: of run.py; model, image size and batch size are among them.
      head_only: feed ready-made features of this module's kind to the head, and no images.
    """

    name: str
    flags: Mapping[str, object]
    head_only: bool = False


class Measured(Exception):
    """Break off a run whose steps were timed."""


class StepClock(tf.estimator.SessionRunHook):
    """Time steps in turns with something else that takes as many steps.

    The first steps of the run and the step after each turn do not count.
    """

    def __init__(self, seconds: float, turns: int = 1, other: Callable[[int], float] | None = None):
        """Make the hook.

        Args:
          seconds: least length of a turn.
          turns: how many.
          other: takes so many steps of its own and gives the seconds of these.
        """
        self.turns: list[tuple[int, float, float]] = []
        self._seconds = seconds
        self._wanted = turns
        self._other = other

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Start the warm-up."""
        self._warm_after = time.perf_counter() + WARM_UP * self._seconds
        self._started: float | None = None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Count a step; raise Measured once all turns are over."""
        now = time.perf_counter()
        if self._started is None:
            if now >= self._warm_after:
                self._started, self._steps = now, 0
            return
        self._steps += 1
        if now - self._started < self._seconds:
            return
        others = 0.0
        if self._other:
            # In a run's own thread its graph is the default, in which no function can be called.
            with ThreadPoolExecutor(max_workers=1) as thread:
                others = thread.submit(self._other, self._steps).result()
        self.turns.append((self._steps, now - self._started, others))
        self._started = None
        if len(self.turns) == self._wanted:
            raise Measured


def measure_data(data_dir: Path, cases: Sequence[Case], seconds: float, rounds: int) -> list[Row]:
    """Measure training on noise from memory and on DATA_DIR/train; ratios are to the noise.

    Args:
      data_dir: converted images.
      cases: what to train.
      seconds: of one measurement.
      rounds: measurements of each.
    """
    sources = {'synthetic': {'use_synthetic_data': 'true'}, 'real': {'data_dir': data_dir}}
    calls = {
        f'{case.name}, {source}': functools.partial(_time_run, case, flags, seconds)
        for case in cases
        for source, flags in sources.items()
    }
    found = measure_in_turns(calls, rounds)
    rows = []
    for case in cases:
        names = [f'{case.name}, {source}' for source in sources]
        rows += to_rows({name: found[name] for name in names}, names[0])
    return rows


def measure_loop(cases: Sequence[Case], seconds: float, rounds: int) -> list[Row]:
    """Measure a bare loop and the Estimator's, with all hooks of a run; ratios are to the bare one.

    Args:
      cases: what to train, each on one batch of noise from memory.
      seconds: of one turn.
      rounds: turns of each.
    """
    rows = []
    for case in tqdm.tqdm(cases, unit='model', disable=None):
        with tempfile.TemporaryDirectory() as folder:
            experiment = _make_run(case, {'use_synthetic_data': 'true'}, Path(folder))
            other = _bare_loop(experiment)
            other(2)  # The first step makes the plan of the graph.
            clock = StepClock(seconds, rounds, other)
            _break_off(experiment, clock)
        images = experiment.hparams.train_batch_size
        found = {
            f'{case.name}, {BARE}': [Measurement(n * images, bare) for n, _, bare in clock.turns],
            f'{case.name}, {ESTIMATOR}': [
                Measurement(n * images, own) for n, own, _ in clock.turns
            ],
        }
        rows += to_rows(found, f'{case.name}, {BARE}')
    return rows


def _time_run(case: Case, flags: Mapping[str, object], seconds: float) -> Measurement:
    clock = StepClock(seconds)
    with tempfile.TemporaryDirectory() as folder:
        experiment = _make_run(case, flags, Path(folder))
        _break_off(experiment, clock)
    ((steps, own, _),) = clock.turns
    return Measurement(steps * experiment.hparams.train_batch_size, own)


def _make_run(case: Case, flags: Mapping[str, object], folder: Path) -> Experiment:
    """Make the run in FOLDER with these flags, ready to train."""
    values = {
        'config_file': ROOT / 'project.yaml',
        'hyperparameter_file': ROOT / 'hyperparameters.yaml',
        'model_dir': folder / 'checkpoints',
        'best_model_dir': folder / 'best',
        'train_steps': NEVER,
        'save_checkpoints_steps': NEVER,
        'cache_features': 'false',
        **case.flags,
        **flags,
    }
    words = [f'--{name}={value}' for name, value in values.items()]
    experiment = run.open_experiment(['train', *words])
    if not case.head_only:
        return experiment
    functions = dataclasses.replace(
        experiment.functions, input_fn=partial(_features, len(experiment.run.class_names))
    )
    return dataclasses.replace(experiment, functions=functions)


def _features(classes: int, mode: str, params: HParams, images: Any, shard: Any) -> tf.data.Dataset:
    """Feed noise in place of a module's features: the same batch without end."""
    del mode, images, shard
    size = params.train_batch_size
    features = tf.random.stateless_uniform([size, DEPTH], [0, 0])
    labels = tf.range(size, dtype=tf.int64) % classes
    return tf.data.Dataset.from_tensors(({'features': features}, labels)).cache().repeat()


def _break_off(experiment: Experiment, clock: StepClock) -> None:
    """Train with all hooks of a run until the clock has what it wants."""
    hooks_of = experiment.functions.make_hooks
    functions = dataclasses.replace(
        experiment.functions, make_hooks=lambda hparams, run: [*hooks_of(hparams, run), clock]
    )
    quiet = contextlib.redirect_stdout(io.StringIO())
    with quiet, contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(Measured):
        train.run(dataclasses.replace(experiment, functions=functions))


def _bare_loop(experiment: Experiment) -> Callable[[int], float]:
    """Take this many steps of the run's own training graph; return their seconds."""
    ((features, labels),) = experiment.batches(TRAIN)().take(1)

    def step(features: dict[str, tf.Tensor], labels: tf.Tensor) -> tf.Tensor:
        spec = experiment.estimator.model_fn(features, labels, TRAIN, experiment.estimator.config)
        with tf.control_dependencies([spec.train_op]):
            return tf.identity(spec.loss)

    specs = tf.nest.map_structure(tf.type_spec_from_value, (features, labels))
    # EstimatorSpec puts variables into sets, as they can be in a graph of its own.
    tf.compat.v1.disable_tensor_equality()
    try:
        with warnings.catch_warnings():
            # The graph's summaries are not written here, and say so.
            warnings.filterwarnings('ignore', 'Cannot activate TF2 compatibility', UserWarning)
            function = tf.compat.v1.wrap_function(step, specs)
    finally:
        tf.compat.v1.enable_tensor_equality()

    batch = tf.nest.flatten((features, labels))

    def loop(steps: int) -> float:
        started = time.perf_counter()
        for _ in range(steps):
            loss = function(*batch)
        loss.numpy()
        return time.perf_counter() - started

    return loop
