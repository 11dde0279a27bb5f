"""Repair a run's folder before training, so that its newest checkpoint can be read."""

from __future__ import annotations

import logging
import os
import re
import shutil

from library import files
from library.checkpoints.newest import STATE, newest_checkpoint, write_checkpoint_state
from library.checkpoints.readable import is_readable
from library.errors import MismatchError

# TensorFlow's own names.
INDEX = re.compile(r'model\.ckpt-(\d+)\.index')
UNFINISHED = re.compile(r'model\.ckpt-\d+_temp')


def mend_checkpoints(model_dir: str) -> None:
    """Make the newest checkpoint that can be read the one that a run goes on from.

    A kill or a full disk can leave a checkpoint cut off, or the file that names the newest one
    empty; TensorFlow would end on either. The folder's lock must be held.

    Raises:
      MismatchError: there are checkpoints, and none can be read.
    """
    names = files.names_in(model_dir)
    for name in names:
        if UNFINISHED.fullmatch(name) and not files.is_remote(model_dir):
            shutil.rmtree(os.path.join(model_dir, name))
    newest = newest_checkpoint(model_dir)
    if newest is not None and is_readable(newest):
        return
    steps = sorted((int(found[1]) for found in map(INDEX.fullmatch, names) if found), reverse=True)
    readable = [step for step in steps if is_readable(_checkpoint(model_dir, step))]
    if steps and not readable:
        raise MismatchError(
            f'{model_dir}: none of its checkpoints can be read; delete them to start again'
        )
    if not readable:
        if STATE in names:
            files.remove(files.join(model_dir, STATE))
        return
    damaged = readable[0] != steps[0]
    why = 'the newest checkpoint cannot be read' if damaged else 'the list of checkpoints was lost'
    logging.getLogger(__name__).warning(
        'warning: %s: %s; going on from step %d', model_dir, why, readable[0]
    )
    write_checkpoint_state(model_dir, [f'model.ckpt-{step}' for step in reversed(readable)])


def _checkpoint(model_dir: str, step: int) -> str:
    return files.join(model_dir, f'model.ckpt-{step}')
