"""Find the folder that a run lives in, and the values that it kept there; no TensorFlow."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from library import files
from library.config.catalog import Catalog
from library.config.checked_sets import chosen_sets
from library.config.command_line import CommandLine
from library.config.hparams import HParams, peek
from library.config.yaml_sets import Set
from library.errors import ConfigError
from library.runs.kept_values import read_saved
from library.runs.metadata import SAVED_AS

LATEST = 'latest'
STAMP = '%Y-%m-%d-%H_%M_%S'
# The file beside the best checkpoints that says which they are.
BEST_STATE = 'best.json'
_STAMPED = re.compile(r'\d{4}-\d\d-\d\d-\d\d_\d\d_\d\d(-\d+)?')


@dataclass(frozen=True)
class RunDirectory:
    """Where a run lives.

    Attributes:
      folder: of the run.
      saved: the values that it kept; None where there is no run, or will be none.
      time_stamped: the folder is named by the time, and holds the best checkpoints too.
      is_new: whether it is still to be made.
    """

    folder: str
    saved: Set | None
    time_stamped: bool
    is_new: bool = False


# For what works on no run of its own.
NO_RUN = RunDirectory('', None, False)


def find_run(
    catalog: Catalog, command_line: CommandLine, training: bool, sets: Set | None = None
) -> RunDirectory:
    """Find where the run lives, before it is known what else it needs.

    With time_stamped a training run gets a new folder below model_dir, and other modes look into
    the latest there is; a model_dir that is itself the folder of a time-stamped run, or the link to
    it, means that run.

    Args:
      catalog: must declare model_dir, time_stamped and clean.
      command_line: what was typed.
      training: the mode makes a run, or goes on with one.
      sets: what `chosen_sets` gave, where this start has read them before; None reads them.

    Raises:
      ConfigError: the folder is to be emptied, and is new, or holds something else than a run.
    """
    sets = chosen_sets(catalog, command_line.values) if sets is None else sets
    wanted = functools.partial(peek, catalog, command_line, sets)
    folder = _plain(wanted('model_dir'))
    saved = read_saved(folder)
    stamped = 'time_stamped' in (saved or {}) and (saved or {})['time_stamped'].text == 'true'
    clean = training and wanted('clean')
    if wanted('time_stamped') and not stamped:
        if clean:
            raise ConfigError('--clean: a time-stamped run has a new folder, with nothing in it')
        if training:
            return RunDirectory(next(_new_names(folder)), None, True, is_new=True)
        latest = _latest(folder)
        if latest is not None:
            return RunDirectory(latest, read_saved(latest), True)
    if clean:
        _check_ours(folder)
        return RunDirectory(folder, None, stamped)
    return RunDirectory(folder, saved, stamped)


def in_run_directory(hparams: HParams, run_directory: RunDirectory) -> HParams:
    """Return the same values, with the folders of a time-stamped run."""
    if not run_directory.time_stamped:
        return hparams
    hparams = hparams.with_values('time_stamped', model_dir=run_directory.folder)
    if hparams.origin('best_model_dir') == 'command line':
        return hparams
    best = files.join(run_directory.folder, 'best')
    return hparams.with_values('time_stamped', best_model_dir=best)


def claim(hparams: HParams, run_directory: RunDirectory) -> HParams:
    """Make the folder of a new time-stamped run, under another name if somebody was faster.

    Args:
      hparams: as `in_run_directory` gives them.
      run_directory: of the run.

    Returns:
      The values with the folder that is this run's alone.
    """
    if not run_directory.is_new or files.is_remote(run_directory.folder):
        return hparams
    base = os.path.dirname(run_directory.folder)
    os.makedirs(base or '.', exist_ok=True)
    for name in itertools.chain([run_directory.folder], _new_names(base)):
        # Only one of several processes makes a folder.
        with contextlib.suppress(FileExistsError):
            os.mkdir(name)
            return in_run_directory(hparams, RunDirectory(name, None, True))
    raise AssertionError('there are always more names')


def empty_run_folder(folder: str, keep: str) -> None:
    """Remove what is in a run's folder, but for one name; what marks it as a run goes last.

    Raises:
      ConfigError: it holds something else than a run.
    """
    _check_ours(folder)
    names = [name for name in files.names_in(folder) if name != keep]
    for name in sorted(names, key=lambda name: name == SAVED_AS):
        files.remove_all(files.join(folder, name))


def link_latest(folder: str) -> None:
    """Let `latest`, beside a time-stamped run, lead to it; remote folders have no links."""
    if files.is_remote(folder):
        return
    link = os.path.join(os.path.dirname(folder), LATEST)
    if os.path.isdir(link) and not os.path.islink(link):
        raise ConfigError(f'{link}: a folder stands where the link to the latest run belongs')
    partial = f'{link}.{os.getpid()}.partial'
    os.symlink(os.path.basename(folder), partial)
    os.replace(partial, link)


def _plain(folder: str) -> str:
    """Return a folder without a slash at its end, or where it leads if it is a link to a run."""
    if folder.rstrip('/') and not folder.endswith('://'):
        folder = folder.rstrip('/')
    if files.is_remote(folder) or not os.path.islink(folder):
        return folder
    return os.path.join(os.path.dirname(folder), os.readlink(folder))


def _latest(folder: str) -> str | None:
    """Find the newest time-stamped run below a folder: where the link leads, or by its name."""
    link = files.join(folder, LATEST)
    if not files.is_remote(folder) and os.path.islink(link):
        return _plain(link)
    stamped = [name for name in files.names_in(folder) if _STAMPED.fullmatch(name)]
    return files.join(folder, max(stamped)) if stamped else None


def _new_names(folder: str) -> Iterator[str]:
    """Yield paths below `folder` that name the time, and that nothing has."""
    stamp = files.join(folder, time.strftime(STAMP))
    names = itertools.chain([stamp], (f'{stamp}-{number}' for number in itertools.count(2)))
    return (name for name in names if not files.exists(name))


def _check_ours(folder: str) -> None:
    """Raise ConfigError for a folder with other things than one run; an empty one is fine."""
    names = [name for name in files.names_in(folder) if not name.startswith('.')]
    if names and SAVED_AS not in names:
        raise ConfigError(
            f'{folder}: no run of this project ({SAVED_AS} is missing), so --clean leaves it alone'
        )
    for inner in (files.join(folder, name) for name in names):
        inside = files.names_in(inner)
        # A folder of best checkpoints keeps the values too, but no events.
        if SAVED_AS in inside and any(name.startswith('events.out.') for name in inside):
            raise ConfigError(f'{inner}: another run, so --clean leaves {folder} alone')
