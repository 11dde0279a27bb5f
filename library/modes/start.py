"""Resolve, check and open what a mode of run.py needs; TensorFlow is imported on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from library.config.catalog import Catalog
from library.config.checked_sets import chosen_sets
from library.config.command_line import CommandLine, parse
from library.config.hparams import HParams, resolve
from library.errors import ConfigError
from library.extras import Extras, Mode
from library.modes.device_checks import check_distribution
from library.modes.option_checks import check
from library.modes.options import ExportFormatOptions
from library.runs.directory import NO_RUN, RunDirectory, claim, find_run, in_run_directory
from library.runs.kept_values import check_run_exists

if TYPE_CHECKING:
    from library.runtime.experiment import Experiment


@dataclass(frozen=True)
class Project:
    """What a project brings to run.py, joined with what its extras bring.

    Attributes:
      catalog: every option.
      models: the models by name.
      sources: the sources of images by name.
      hooks: by name, what makes a hook.
      functions: imports and gives input_fn and model_fn, once TensorFlow may be imported.
      extras: those of this clone.
    """

    catalog: Catalog
    models: Mapping[str, Any]
    sources: Mapping[str, str]
    hooks: Mapping[str, Any]
    functions: Callable[[], tuple[Callable[..., Any], Callable[..., Any]]]
    extras: Extras


def join_options(catalog: Catalog, extras: Extras) -> Catalog:
    """Add the options of the extras, and the formats that they export, to a project's own."""
    formats = tuple(extras.joined('export_formats'))
    of_formats = (ExportFormatOptions,) if formats else ()
    return catalog.extended((*extras.options(), *of_formats), {'export_formats': formats})


def is_alone(command_line: CommandLine, mode: Mode) -> bool:
    """Return whether a mode needs no run of its own, such as with an exported model."""
    return mode.alone or 'saved_model' in command_line.values


def checked_values(
    project: Project, command_line: CommandLine, mode: Mode
) -> tuple[HParams, RunDirectory]:
    """Resolve the values of a run and check them; a mode on a trained run takes what that kept.

    Returns:
      The values, and where the run lives.

    Raises:
      ConfigError: a value is wrong, or some do not go together; there is no such run.
    """
    sets, run_directory = chosen_sets(project.catalog, command_line.values), NO_RUN
    if not is_alone(command_line, mode):
        run_directory = find_run(project.catalog, command_line, mode.trains, sets)
        if mode.on_a_run:
            check_run_exists(run_directory.folder)
        elif not mode.trains and 'model_dir' not in command_line.values:
            # It only shows data, so a run that happens to lie in the default folder, perhaps of
            # another model, is none of its business.
            run_directory = NO_RUN
    saved = run_directory.saved if mode.on_a_run else None
    hparams = resolve(project.catalog, command_line, saved, sets)
    hparams = in_run_directory(hparams, run_directory)
    name = 'train' if mode.trains else command_line.mode
    check(hparams, name, project.catalog, project.hooks)
    if mode.trains:
        project.extras.one('check_distribution', check_distribution)(hparams)
    project.extras.check(hparams, name)
    return hparams, run_directory


def build_experiment(
    project: Project, mode: Mode, hparams: HParams, run_directory: RunDirectory
) -> Experiment:
    """Put the Experiment together: data, metadata, the project's own functions, Estimator.

    Raises:
      ScaffoldError: data or model cannot be had, or do not fit the run.
    """
    from library.inputs.open_data import open_all, open_data

    training = not mode.on_a_run
    hparams, run, train_data, eval_data = open_all(
        hparams, run_directory.saved, project.sources, training, mode.evaluates
    )
    import tensorflow as tf

    from library.hooks.by_name import make_hooks
    from library.modes.completion import complete
    from library.runtime.distribution import make_distribution
    from library.runtime.experiment import Experiment, Functions

    model = project.models[hparams.model]
    hparams, run = complete(hparams, run, model, run_directory.saved)
    functions = Functions(
        *project.functions(), lambda params, run: make_hooks(params, run, project.hooks)
    )
    distribution = project.extras.one('distribution', make_distribution)(hparams, project.extras)
    if hparams.deterministic:
        tf.config.experimental.enable_op_determinism()
    return Experiment(
        hparams,
        run,
        functions,
        model,
        train_data,
        eval_data,
        distribution,
        project.extras,
        lambda: open_data(hparams, project.sources, run.class_names, training=True),
    )


def open_experiment(project: Project, modes: Mapping[str, Mode], argv: Sequence[str]) -> Experiment:
    """Put together what `run.py ARGV` would run, without running it; for modes that need a run.

    Args:
      project: what run.py joined.
      modes: the modes by name.
      argv: the words after the program's name.

    Raises:
      ScaffoldError: as the program would end.
    """
    command_line = parse(argv, project.catalog, tuple(modes))
    mode = modes[command_line.mode]
    if is_alone(command_line, mode):
        raise ConfigError(f'{command_line.mode}: needs no run here, so there is none to open')
    hparams, run_directory = checked_values(project, command_line, mode)
    return build_experiment(project, mode, claim(hparams, run_directory), run_directory)
