"""A checkpoint that a trainer removes while it is worked with: the newest one takes its place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

from library import files
from library.checkpoints.newest import newest_checkpoint
from library.checkpoints.snapshots import copy_checkpoint
from library.config.hparams import HParams
from library.console import log
from library.errors import ConfigError, MismatchError
from library.modes.checkpoint_choice import chosen_checkpoint

ResultT = TypeVar('ResultT')

ATTEMPTS = 5
# What reading a checkpoint raises that is gone, wholly or in part.
_GONE = (
    *(ConfigError, MismatchError, FileNotFoundError, ValueError, IndexError),
    tf.errors.OpError,
)


def with_chosen_checkpoint(
    hparams: HParams, run_id: str | None, work: Callable[[str, str], ResultT]
) -> ResultT:
    """Does some work with the checkpoint that --validation_checkpoint names.

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
