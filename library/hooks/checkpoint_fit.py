"""A checkpoint that does not fit the graph is refused before it is restored.

TensorFlow itself hides this: resource variables silently take the checkpoint's shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from library import files
from library.errors import MismatchError

# TensorFlow's own name for the file that lists a folder's checkpoints.
STATE = 'checkpoint'
# Scope of a TF-Hub module's variables; a frozen module has none in its checkpoints.
MODULE = 'module/'
OTHER_OPTIONS = 'other options made it (see hparams.yaml beside it); choose another --model_dir'


class CheckpointFitHook(tf.estimator.SessionRunHook):
    """Compares the graph's variables with the checkpoint that the session will restore."""

    def __init__(
        self, find_checkpoint: Callable[[], str | None], then: Callable[[], None] | None = None
    ):
        """Makes the hook.

        Args:
          find_checkpoint: gives the checkpoint's path, or None where there is none yet.
          then: called once the checkpoint fits, before anything is restored or written.
        """
        self._find_checkpoint = find_checkpoint
        self._then = then

    def begin(self) -> None:
        """Raises MismatchError if the checkpoint does not fit."""
        path = self._find_checkpoint()
        if path is not None:
            check_fit(graph_variables(), path)
        if self._then is not None:
            self._then()


def graph_variables() -> dict[str, tf.TensorShape]:
    """Names and shapes of what the default graph saves and restores."""
    return {v.op.name: v.shape for v in tf.compat.v1.global_variables()}


def open_checkpoint(checkpoint: str) -> Any:
    """A reader of the checkpoint with this path, without ending.

    tf.train.load_checkpoint takes the path for a folder in ram://, where each prefix is one.
    """
    return tf.compat.v1.train.NewCheckpointReader(checkpoint)


def is_readable(checkpoint: str) -> bool:
    """True if every value of the checkpoint can be read and has the checksum that was written."""
    try:
        reader = open_checkpoint(checkpoint)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    # IndexError is what the reader makes of OutOfRangeError, a file that ends too early.
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError):
        return False
    return True


def write_checkpoint_state(folder: str, names: Sequence[str]) -> None:
    """Writes the file by which TensorFlow finds a folder's checkpoints.

    Args:
      folder: of the checkpoints.
      names: theirs, without folder and ending; the last one is what TensorFlow restores.
    """
    lines = [f'model_checkpoint_path: "{names[-1]}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
    files.write_atomically(files.join(folder, STATE), ('\n'.join(lines) + '\n').encode())


def check_fit(variables: dict[str, tf.TensorShape], checkpoint: str) -> None:
    """Checks names and shapes.

    Args:
      variables: what the graph will restore.
      checkpoint: path of a checkpoint, without ending.

    Raises:
      MismatchError: a variable is missing from the checkpoint or has another shape there.
    """
    try:
        saved = open_checkpoint(checkpoint).get_variable_to_shape_map()
    except (tf.errors.OpError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise MismatchError(f'{checkpoint}: the checkpoint cannot be read ({reason})') from None
    if any(name.startswith(MODULE) for name in saved) and not any(
        name.startswith(MODULE) for name in variables
    ):
        raise MismatchError(
            f'{checkpoint}: the checkpoint holds a fine-tuned module, but this run would use it '
            f'as it was before (--fine_tuning, or choose another --model_dir)'
        )
    for name, shape in variables.items():
        if name not in saved:
            hint = f': {OTHER_OPTIONS}'
            if name.startswith(MODULE):
                hint = (
                    '; a run with a frozen module cannot go on with fine_tuning: '
                    'choose another --model_dir'
                )
            raise MismatchError(f'{checkpoint}: the checkpoint holds no {name}{hint}')
        if not shape.is_compatible_with(saved[name]):
            raise MismatchError(
                f'{checkpoint}: {name} has the shape {saved[name]} there and {shape.as_list()} in '
                f'this run: {OTHER_OPTIONS}'
            )
