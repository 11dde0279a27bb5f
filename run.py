"""Trains and evaluates an image classifier: HParams in, tf.estimator.Estimator out.

The first word is the mode: train (the default, also called train_and_eval) trains, evaluates after
every checkpoint and keeps the best; evaluate evaluates one checkpoint; predict classifies images;
export writes a model for serving; compare puts runs side by side; preview draws training images as
the model sees them. Values come from sets in project.yaml (how and where to run, --config_set) and
hyperparameters.yaml (what is learned, --hyperparameter_set); each key is also a flag, which wins.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING

from library.config.command_line import CommandLine, help_text, parse
from library.config.explain import explain
from library.config.hparams import HParams, resolve
from library.extras import Mode, find_extras, load
from library.modes.device_checks import check_distribution
from library.modes.option_checks import check
from library.modes.overruled import overruled
from library.preparation.sources.registry import joined
from library.runs.directory import NO_RUN, RunPlace, claim, find_run, in_place
from library.runs.kept_values import check_run_exists
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow
from project import options, sources
from project.hooks import HOOKS
from project.models import MODELS

if TYPE_CHECKING:
    from library.runtime.experiment import Experiment

EXTRAS = find_extras()
SOURCES = joined(sources.SOURCES, EXTRAS.joined('sources'))
CATALOG = options.CATALOG.extended(EXTRAS.options(), {})
TRAIN = Mode('library.modes.train', trains=True)
MODES = {
    'train': TRAIN,
    'train_and_eval': TRAIN,
    'evaluate': Mode('library.modes.evaluate', on_a_run=True),
    'predict': Mode('library.modes.predict', on_a_run=True, evaluates=False),
    'export': Mode('library.modes.export', on_a_run=True),
    'compare': Mode('library.modes.compare', alone=True),
    'preview': Mode('library.modes.preview'),
    **EXTRAS.joined('modes'),
}


def main(argv: list[str]) -> int:
    """Runs one mode; returns the exit code. TensorFlow is imported once all options are right."""
    command_line = parse(argv, CATALOG, tuple(MODES))
    if command_line.wants_help:
        print(help_text('run.py', __doc__, CATALOG, tuple(MODES), command_line.typed_mode))
        return 0
    mode = MODES[command_line.mode]
    alone = mode.alone or 'saved_model' in command_line.values  # needs no run of its own
    place = NO_RUN if alone else find_run(CATALOG, command_line, training=mode.trains)
    hparams = _values(command_line, mode, place)
    if hparams.explain:
        print(explain(hparams, overruled(hparams, CATALOG.folders)))
        return 0
    quiet_tensorflow(hparams.verbose)
    if alone:
        return load(f'{mode.code}:run_alone')(hparams)
    experiment = build_experiment(mode, claim(hparams, place), place)
    return load(f'{mode.code}:run')(experiment)


def _values(command_line: CommandLine, mode: Mode, place: RunPlace) -> HParams:
    """Resolve and check the values of a run; a mode on a trained run takes what that kept."""
    if mode.on_a_run and place != NO_RUN:
        check_run_exists(place.folder)
    saved = place.saved if mode.on_a_run else None
    hparams = in_place(resolve(CATALOG, command_line, saved), place)
    name = 'train' if mode.trains else command_line.mode
    check(hparams, name, CATALOG, HOOKS)
    if mode.trains:
        EXTRAS.one('check_distribution', check_distribution)(hparams)
    EXTRAS.check(hparams, name)
    return hparams


def build_experiment(mode: Mode, hparams: HParams, place: RunPlace) -> Experiment:
    """Put the Experiment together: data, metadata, the project's own functions, Estimator."""
    from library.inputs.open_data import open_all

    training = not mode.on_a_run
    hparams, run, *data = open_all(hparams, place.saved, SOURCES, training, mode.evaluates)
    from library.hooks.by_name import make_hooks
    from library.modes.completion import complete
    from library.runtime.distribution import make_distribution
    from library.runtime.experiment import Functions, make_experiment
    from project.input_fn import input_fn
    from project.model_fn import model_fn

    model = MODELS[hparams.model]
    hparams, run = complete(hparams, run, model, place.saved)
    functions = Functions(input_fn, model_fn, functools.partial(make_hooks, hooks=HOOKS))
    distribution = EXTRAS.one('distribution', make_distribution)(hparams, EXTRAS)
    return make_experiment(hparams, run, functions, model, *data, distribution)


program = functools.partial(run_program, main)  # what the installed command calls

if __name__ == '__main__':
    sys.exit(program())
