"""Find the checkpoint that a person names, though a trainer may remove it meanwhile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

from library import files
from library.checkpoints.newest import checkpoint_at, newest_checkpoint
from library.checkpoints.readable import is_readable
from library.checkpoints.snapshots import copy_checkpoint
from library.config.hparams import HParams
from library.console import log
from library.errors import ConfigError, MismatchError
from library.runs.kept_values import read_saved

ResultT = TypeVar('ResultT')

ATTEMPTS = 5
# What reading a checkpoint raises that is gone, wholly or in part.
_GONE = (
    *(ConfigError, MismatchError, FileNotFoundError, ValueError, IndexError),
    tf.errors.OpError,
)


def chosen_checkpoint(hparams: HParams, run_id: str | None) -> str:
    """Find the checkpoint that --validation_checkpoint names.

    'latest', a step and a plain name are looked for in model_dir, 'best' in best_model_dir; else it
    is the path of a checkpoint or of a folder with checkpoints.

    Returns:
      Its path, without ending.

    Raises:
      ConfigError: there is no such checkpoint.
      MismatchError: the checkpoint is damaged, or the best ones are those of another run.
    """
    wanted, model_dir = hparams.validation_checkpoint, hparams.model_dir
    best_model_dir = hparams.best_model_dir
    if wanted == 'best':
        saved = read_saved(best_model_dir) or {}
        if run_id and 'run_id' in saved and saved['run_id'].text != run_id:
            raise MismatchError(f'{best_model_dir}: holds the best checkpoints of another run')
    folder = {'latest': model_dir, 'best': best_model_dir}.get(wanted, wanted)
    path = files.join(model_dir, f'model.ckpt-{wanted}') if wanted.isdigit() else folder
    path = checkpoint_at(path)
    if not files.exists(f'{path}.index') and files.exists(files.join(model_dir, f'{path}.index')):
        path = files.join(model_dir, path)
    if not files.exists(f'{path}.index'):
        raise ConfigError(f'{path}: no checkpoint there (--validation_checkpoint {wanted})')
    # TensorFlow takes a data file that was cut off for the end of the data set.
    if not is_readable(path):
        raise MismatchError(f'{path}: the checkpoint is damaged')
    return path


def with_chosen_checkpoint(
    hparams: HParams, run_id: str | None, work: Callable[[str, str], ResultT]
) -> ResultT:
    """Do some work with the checkpoint that --validation_checkpoint names.

    Where that is the latest or the best, and another one is so by the time that the work fails, the
    work is done again with that, and now on a copy: a trainer may save faster than the work starts.

    Args:
      hparams: of the run.
      run_id: of the run.
      work: called with the checkpoint's path, and with the path to read it from.

    Raises:
      ConfigError, MismatchError: as `chosen_checkpoint`. Else what the work raises.
    """
    folders = {'latest': hparams.model_dir, 'best': hparams.best_model_dir}
    folder = folders.get(hparams.validation_checkpoint)
    for attempt in range(1, ATTEMPTS + 1):
        newest = newest_checkpoint(folder) if folder else None
        try:
            checkpoint = chosen_checkpoint(hparams, run_id)
            if attempt == 1:
                return work(checkpoint, checkpoint)
            with tempfile.TemporaryDirectory() as copies:
                name = os.path.basename(checkpoint)
                copy_checkpoint(checkpoint, copies, name)
                return work(checkpoint, files.join(copies, name))
        except _GONE:
            now = newest_checkpoint(folder) if folder else None
            if attempt == ATTEMPTS or now is None or now == newest:
                raise
            log(f'{os.path.basename(now)} has appeared meanwhile: using that')
    raise AssertionError
