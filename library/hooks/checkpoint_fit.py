"""A checkpoint that does not fit the graph is refused before it is restored.

TensorFlow itself hides this: resource variables silently take the checkpoint's shape.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from library.errors import MismatchError


class CheckpointFitHook(tf.estimator.SessionRunHook):
    """Compares the graph's variables with the checkpoint that the session will restore."""

    def __init__(self, find_checkpoint: Callable[[], str | None]):
        self._find_checkpoint = find_checkpoint

    def begin(self) -> None:
        """Raises MismatchError if the checkpoint does not fit."""
        path = self._find_checkpoint()
        if path is not None:
            variables = {v.op.name: v.shape for v in tf.compat.v1.global_variables()}
            check_fit(variables, path)


def check_fit(variables: dict[str, tf.TensorShape], checkpoint: str) -> None:
    """Checks names and shapes.

    Args:
      variables: what the graph will restore.
      checkpoint: path of a checkpoint, without ending.

    Raises:
      MismatchError: a variable is missing from the checkpoint or has another shape there.
    """
    try:
        saved = tf.train.load_checkpoint(checkpoint).get_variable_to_shape_map()
    except (tf.errors.OpError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise MismatchError(f'{checkpoint}: the checkpoint cannot be read ({reason})') from None
    for name, shape in variables.items():
        if name not in saved:
            hint = ''
            if name.startswith('module/'):
                hint = (
                    '; a run with a frozen module cannot go on with fine_tuning: '
                    'choose another --model_dir'
                )
            raise MismatchError(f'{checkpoint}: the checkpoint holds no {name}{hint}')
        if not shape.is_compatible_with(saved[name]):
            raise MismatchError(
                f'{checkpoint}: {name} has the shape {saved[name]} there and {shape.as_list()} in '
                f'this run: other options made it (see its hparams.yaml); choose another '
                f'--model_dir'
            )
