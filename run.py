"""Trains and evaluates an image classifier: HParams in, tf.estimator.Estimator out.

The first word is the mode: train (the default, also called train_and_eval) trains, evaluates after
every checkpoint and keeps the best; evaluate evaluates one checkpoint; preview draws training
images as the model sees them. Values come from sets in project.yaml (how and where to run,
--config_set) and hyperparameters.yaml (what is learned, --hyperparameter_set); each key of both is
also a flag, which wins.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from library.config.command_line import help_text, parse
from library.config.explain import check_run_exists, explain
from library.config.hparams import HParams, resolve
from library.config.yaml_sets import Set
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow
from library.runtime.run_place import claim, find_run, in_place
from project.data import open_all
from project.options import CATALOG, check, overruled

if TYPE_CHECKING:
    from library.runtime.experiment import Experiment

# Mode to the file that runs it; the first is the default.
MODES = {
    'train': 'train',
    'train_and_eval': 'train',
    'evaluate': 'evaluate',
    'preview': 'preview',
}
# Modes that work on a run that is there, with the values that it kept.
ON_A_RUN = ('evaluate',)


def main(argv: list[str]) -> int:
    """Runs one mode; returns the exit code. TensorFlow is imported once all options are right."""
    command_line = parse(argv, CATALOG, list(MODES))
    if command_line.wants_help:
        print(help_text('run.py', __doc__, CATALOG, list(MODES)))
        return 0
    mode = MODES[command_line.mode]
    place = find_run(CATALOG, command_line, training=mode == 'train')
    if mode in ON_A_RUN:
        check_run_exists(place.folder)
    hparams = resolve(CATALOG, command_line, place.saved if mode in ON_A_RUN else None)
    hparams = in_place(hparams, place)
    check(hparams, mode)
    if hparams.explain:
        print(explain(hparams, overruled(hparams)))
        return 0
    run = build_experiment(mode, claim(hparams, place), place.saved)
    return importlib.import_module(f'library.modes.{mode}').run(run)


def build_experiment(mode: str, hparams: HParams, saved: Set | None) -> Experiment:
    """Puts the Experiment together: data, facts, the project's own functions, Estimator."""
    quiet_tensorflow(hparams.verbose)
    hparams, train_data, eval_data = open_all(hparams, saved, training=mode not in ON_A_RUN)

    from library.runtime.experiment import Functions, make_experiment
    from project.completion import complete
    from project.hooks import make_hooks
    from project.input_fn import input_fn, stored_images
    from project.model_fn import model_fn

    functions = Functions(input_fn, model_fn, stored_images, make_hooks)
    return make_experiment(complete(hparams, saved), functions, train_data, eval_data)


if __name__ == '__main__':
    sys.exit(run_program(main, sys.argv[1:]))
