"""Refuse a checkpoint that does not fit the graph, before it is restored.

TensorFlow itself hides this: resource variables silently take the checkpoint's shape, and what
the checkpoint holds beyond the graph is dropped without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import tensorflow as tf

from library.checkpoints.readable import open_checkpoint
from library.checkpoints.scopes import AVERAGES, LEFT_OUT, LOSS_SCALE, MODULE, POWERS, RESTORED
from library.errors import MismatchError

OTHER_OPTIONS = 'other options made it (see hparams.yaml beside it); choose another --model_dir'


class CheckpointFitHook(tf.estimator.SessionRunHook):
    """Compare the graph's variables with the checkpoint that the session will restore."""

    def __init__(
        self,
        find_checkpoint: Callable[[], str | None],
        then: Callable[[], None] | None = None,
        training: bool = False,
    ):
        """Make the hook.

        Args:
          find_checkpoint: gives the checkpoint's path, or None where there is none yet.
          then: called once the checkpoint fits, before anything is restored or written.
          training: whether the graph trains; if so, it may lose nothing that the checkpoint holds.
        """
        self._find_checkpoint = find_checkpoint
        self._then = then
        self._training = training

    def begin(self) -> None:
        """Raise MismatchError if the checkpoint does not fit."""
        path = self._find_checkpoint()
        if path is not None:
            check_fit(graph_variables(), path, self._training)
        if self._then is not None:
            self._then()


def graph_variables() -> dict[str, tf.TensorShape]:
    """Return names in the checkpoint, and shapes, of what the default graph restores."""
    by_name = {v.op.name: v for v in tf.compat.v1.global_variables()}
    for other in tf.compat.v1.get_collection(RESTORED):
        by_name = other
    return {name: variable.shape for name, variable in by_name.items()}


def check_fit(
    variables: dict[str, tf.TensorShape], checkpoint: str, training: bool = False
) -> None:
    """Check names and shapes.

    Args:
      variables: what the graph will restore.
      checkpoint: path of a checkpoint, without ending.
      training: also what the graph would lose: other modes have neither optimizer nor averages.

    Raises:
      MismatchError: a variable is missing from the checkpoint or has another shape there, or the
        run trained with another optimizer, moving averages or a dynamic loss scale before.
    """
    try:
        saved = open_checkpoint(checkpoint).get_variable_to_shape_map()
    except (tf.errors.OpError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise MismatchError(f'{checkpoint}: the checkpoint cannot be read ({reason})') from None
    has_module = any(name.startswith((MODULE, AVERAGES + MODULE)) for name in variables)
    left_out = bool(tf.compat.v1.get_collection(LEFT_OUT))
    if any(name.startswith(MODULE) for name in saved) and not (has_module or left_out):
        raise MismatchError(
            f'{checkpoint}: the checkpoint holds a fine-tuned module, but this run would use it '
            f'as it was before (--fine_tuning, or choose another --model_dir)'
        )
    if training:
        _check_training(variables, saved, checkpoint)
    for name, shape in variables.items():
        if name not in saved:
            hint = _hint(name, variables, saved)
            raise MismatchError(f'{checkpoint}: the checkpoint holds no {name}{hint}')
        if not shape.is_compatible_with(saved[name]):
            raise MismatchError(
                f'{checkpoint}: {name} has the shape {saved[name]} there and {shape.as_list()} in '
                f'this run: {OTHER_OPTIONS}'
            )


def _check_training(variables: Collection[str], saved: Collection[str], checkpoint: str) -> None:
    """Raise MismatchError if the run would lose what it trained with before."""
    before, now = _optimizer_state(saved), _optimizer_state(variables)
    # A frozen part of a model has no such state: a run may go on with fewer variables to train.
    if before != now:
        raise MismatchError(
            f'{checkpoint}: another optimizer made the checkpoint (it keeps '
            f'{", ".join(before) or "nothing"}, and that of this run {", ".join(now) or "nothing"})'
            f': go on with its --optimizer, or choose another --model_dir'
        )
    averages, wanted = (any(n.startswith(AVERAGES) for n in names) for names in (saved, variables))
    if averages and not wanted:
        raise MismatchError(
            f'{checkpoint}: the checkpoint holds moving averages, which this run would drop: go on '
            f'with its --moving_average_decay, or choose another --model_dir'
        )
    if any(name in saved and name not in variables for name in LOSS_SCALE):
        raise MismatchError(
            f'{checkpoint}: the checkpoint holds a dynamic loss scale, which this run would drop: '
            f'go on with --dtype float16 and --loss_scale dynamic, or choose another --model_dir'
        )


def _optimizer_state(names: Collection[str]) -> list[str]:
    """Return the kinds of state that optimizers keep, such as Adam and Adam_1: VARIABLE/KIND."""
    parts = [name.rpartition('/') for name in names]
    return sorted({kind for variable, _, kind in parts if variable in names})


def _hint(name: str, variables: Collection[str], saved: Collection[str]) -> str:
    """Return what to do about a variable that the checkpoint lacks."""
    if name.startswith(AVERAGES) and not any(each.startswith(AVERAGES) for each in saved):
        return ': it was trained without --moving_average_decay; choose another --model_dir'
    name = name.removeprefix(AVERAGES)
    parent, _, last = name.rpartition('/')
    if name in LOSS_SCALE:
        return (
            ': it was trained without a dynamic --loss_scale of --dtype float16; give a number as '
            '--loss_scale, or choose another --model_dir'
        )
    if parent in variables or last in POWERS:
        return (
            ': it was trained with other --trainable_scopes or another --optimizer; go on with '
            'those, or choose another --model_dir'
        )
    if name.startswith(MODULE):
        return (
            '; a run with a frozen module cannot go on with fine_tuning: choose another '
            '--model_dir, with this checkpoint as its --warm_start_ckpt'
        )
    return f': {OTHER_OPTIONS}'
