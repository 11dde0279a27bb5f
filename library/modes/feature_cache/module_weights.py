"""Check that a checkpoint holds the module whose features a warm-started run uses."""

from __future__ import annotations

import numpy as np

from library.checkpoints.newest import newest_checkpoint
from library.checkpoints.readable import is_readable, open_checkpoint
from library.checkpoints.scopes import MODULE
from library.errors import MismatchError


def check_module_weights(checkpoint: str, model_dir: str) -> None:
    """Compare a checkpoint's module with that of the run, to the last bit.

    The run's own checkpoints say what a warm start made of its module, and that is frozen. The
    digest by which features are found again says less: it is of the checkpoint that the run
    started from, which may hold more than the module, or parts of it.

    Args:
      checkpoint: path of a checkpoint that can be read, without ending.
      model_dir: of the run.

    Raises:
      MismatchError: the module's weights are not those of the run.
    """
    own = newest_checkpoint(model_dir)
    if own == checkpoint:
        return
    if own is None or not is_readable(own) or not _same_module(own, checkpoint):
        raise MismatchError(
            f'{checkpoint}: its module is not known to be that of the run in {model_dir}, from '
            f'which the features are (evaluate it without --cache_features)'
        )


def _same_module(own: str, other: str) -> bool:
    """Return whether the second checkpoint holds each module variable of the first, unchanged."""
    ours, theirs = open_checkpoint(own), open_checkpoint(other)
    names = [name for name in ours.get_variable_to_shape_map() if name.startswith(MODULE)]
    return all(
        theirs.has_tensor(name) and np.array_equal(ours.get_tensor(name), theirs.get_tensor(name))
        for name in names
    )
