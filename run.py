"""Train and evaluate an image classifier: HParams in, tf.estimator.Estimator out.

The first word is the mode: train (the default, also called train_and_eval) trains, evaluates after
every checkpoint and keeps the best; evaluate evaluates one checkpoint; predict classifies images;
export writes a model for serving; preview draws training images as the model sees them. Values:
project.yaml (--config_set) and hyperparameters.yaml (--hyperparameter_set); each key is a flag too.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from library.installation import report_missing_packages

if code := report_missing_packages():  # the next import would show a traceback
    sys.exit(code)

from library.config.command_line import help_text, parse
from library.config.explain import explain
from library.extras import Mode, find_extras, load
from library.modes import start
from library.modes.overruled import overruled
from library.preparation.sources.registry import joined
from library.runs.directory import claim
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow
from project import hooks, models, options, sources

EXTRAS = find_extras()
SOURCES = joined(sources.SOURCES, EXTRAS.joined('sources'))
CATALOG = start.join_options(options.CATALOG, EXTRAS)
MODES = {
    'train': Mode('library.modes.train', trains=True),
    'train_and_eval': Mode('library.modes.train', trains=True),
    'evaluate': Mode('library.modes.evaluate', on_a_run=True),
    'predict': Mode('library.modes.predict', on_a_run=True, evaluates=False),
    'export': Mode('library.modes.export', on_a_run=True),
    'preview': Mode('library.modes.preview'),
    **EXTRAS.joined('modes'),
}


def functions() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Import the functions of the project that need TensorFlow."""
    from project.input_fn import input_fn
    from project.model_fn import model_fn

    return input_fn, model_fn


PROJECT = start.Project(CATALOG, models.MODELS, SOURCES, hooks.HOOKS, functions, EXTRAS)
open_experiment = functools.partial(start.open_experiment, PROJECT, MODES)


def main(argv: list[str]) -> int:
    """Run one mode; return the exit code. TensorFlow is imported once all options are right."""
    command_line = parse(argv, CATALOG, tuple(MODES))
    if command_line.wants_help:
        print(help_text('run.py', __doc__, CATALOG, tuple(MODES), command_line.typed_mode))
        return 0
    mode = MODES[command_line.mode]
    hparams, run_directory = start.checked_values(PROJECT, command_line, mode)
    if hparams.explain:
        print(explain(hparams, overruled(hparams, CATALOG.folders)))
        return 0
    quiet_tensorflow(hparams.verbose)
    if start.is_alone(command_line, mode):
        return load(f'{mode.code}:run_alone')(hparams)
    experiment = start.build_experiment(PROJECT, mode, claim(hparams, run_directory), run_directory)
    return load(f'{mode.code}:run')(experiment)


program = functools.partial(run_program, main)  # what the installed command calls

if __name__ == '__main__':
    sys.exit(program())
