"""Trains and evaluates an image classifier: HParams in, tf.estimator.Estimator out.

The first word is the mode: train (the default, also called train_and_eval) trains, evaluates after
every checkpoint and keeps the best; evaluate evaluates one checkpoint; predict classifies images;
export writes a model for serving; compare puts runs side by side; preview draws training images as
the model sees them. Values come from sets in project.yaml (how and where to run, --config_set) and
hyperparameters.yaml (what is learned, --hyperparameter_set); each key is also a flag, which wins.
"""

from __future__ import annotations

import functools
import importlib
import sys
from typing import TYPE_CHECKING

from library.config.command_line import help_text, parse
from library.config.explain import explain
from library.config.hparams import HParams, resolve
from library.config.yaml_sets import Set
from library.runs.directory import NO_RUN, claim, find_run, in_place
from library.runs.kept_values import check_run_exists
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow
from project.options import CATALOG, check, overruled

if TYPE_CHECKING:
    from library.runtime.experiment import Experiment

MODES = ('train', 'train_and_eval', 'evaluate', 'predict', 'export', 'compare', 'preview')
ON_A_RUN = ('evaluate', 'predict', 'export')  # with the values that the run kept


def main(argv: list[str]) -> int:
    """Runs one mode; returns the exit code. TensorFlow is imported once all options are right."""
    command_line = parse(argv, CATALOG, MODES)
    if command_line.wants_help:
        print(help_text('run.py', __doc__, CATALOG, MODES, command_line.typed_mode))
        return 0
    mode = {'train_and_eval': 'train'}.get(command_line.mode, command_line.mode)  # two names
    alone = mode == 'compare' or 'saved_model' in command_line.values  # needs no run of its own
    place = NO_RUN if alone else find_run(CATALOG, command_line, training=mode == 'train')
    if mode in ON_A_RUN and not alone:
        check_run_exists(place.folder)
    saved = place.saved if mode in ON_A_RUN else None
    hparams = in_place(resolve(CATALOG, command_line, saved), place)
    check(hparams, mode)
    if hparams.explain:
        print(explain(hparams, overruled(hparams)))
        return 0
    quiet_tensorflow(hparams.verbose)
    if alone:
        return importlib.import_module(f'library.modes.{mode}').run_alone(hparams)
    run = build_experiment(mode, claim(hparams, place), place.saved)
    return importlib.import_module(f'library.modes.{mode}').run(run)


def build_experiment(mode: str, hparams: HParams, saved: Set | None) -> Experiment:
    """Puts the Experiment together: data, facts, the project's own functions, Estimator."""
    from project.data import open_all

    training, evaluating = mode not in ON_A_RUN, mode != 'predict'
    hparams, *data = open_all(hparams, saved, training=training, evaluating=evaluating)
    from library.runtime.experiment import Functions, make_experiment
    from project.completion import complete
    from project.hooks import make_hooks
    from project.input_fn import input_fn, stored_images
    from project.model_fn import make_model, model_fn
    from project.serving_input import serving_images, stored_files

    functions = Functions(
        input_fn, model_fn, stored_images, make_hooks, serving_images, stored_files, make_model
    )
    return make_experiment(complete(hparams, saved), functions, *data)


program = functools.partial(run_program, main)  # what the installed command calls

if __name__ == '__main__':
    sys.exit(program())
