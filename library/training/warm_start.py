"""Start a run with the weights of another run, or of a SavedModel."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass

import tensorflow as tf

from library.checkpoints.names import STEP, Checkpoint, find_warm_start, read_checkpoint
from library.checkpoints.readable import open_checkpoint
from library.checkpoints.scopes import AVERAGES, MODULE
from library.console import log
from library.errors import ConfigError, MismatchError
from library.training.fine_tuning import lies_in
from library.training.options import FineTuningOptions
from library.training.warm_start_table import RestoreStatus, table

# How many names of either side a message shows.
SHOWN = 3


@dataclass(frozen=True)
class _Scopes:
    """What the two options about scopes let through."""

    restored: tuple[str, ...]
    excluded: tuple[str, ...]

    def reason_to_skip(self, name: str) -> str | None:
        """Return why the variable of this name in the graph is left out; None if it is not."""
        if lies_in(name, self.excluded):
            return 'checkpoint_exclude_scopes'
        if self.restored and not lies_in(name, self.restored):
            return 'not in checkpoint_restore_scopes'
        return None

    def check(self, names: Iterable[str]) -> None:
        """Raise ConfigError for a scope that none of these names lies in."""
        names = list(names)
        for flag, scopes in (
            ('checkpoint_restore_scopes', self.restored),
            ('checkpoint_exclude_scopes', self.excluded),
        ):
            for scope in scopes:
                if not any(lies_in(name, [scope]) for name in names):
                    known = sorted({name.split('/')[0] for name in names})
                    raise ConfigError(
                        f'--{flag} {scope}: no variable of the run or the checkpoint lies there '
                        f'(scopes: {", ".join(known)})'
                    )


def warm_start(options: FineTuningOptions, num_classes: int) -> None:
    """Make the variables of the default graph start with the weights of a checkpoint.

    Changes their initializers and tells what became of each. To be called while the graph of a
    run's first start is built, when the model's variables are made and the optimizer's are not.

    Args:
      options: which checkpoint, and which scopes of it.
      num_classes: of this run. A variable outside of the module that differs only in its last
        dimension, and has this many there now, belongs to other classes and starts anew.

    Raises:
      ConfigError: there is no checkpoint, or a scope holds nothing, or nothing is left to restore.
      MismatchError: the checkpoint is damaged, is of another network, or holds a variable of
        another shape or type.
    """
    # Once, and not once for each replica of a strategy.
    tf.distribute.get_replica_context().merge_call(lambda _: _warm_start(options, num_classes))


def module_weights_digest(options: FineTuningOptions) -> str | None:
    """Digest names and values of a module's variables in the checkpoint to start from.

    Returns:
      The digest; None if the checkpoint holds none, or the scopes let none through.

    Raises:
      ConfigError: there is no checkpoint.
      MismatchError: the checkpoint is damaged.
    """
    checkpoint, scopes = _open(options)
    reader = open_checkpoint(checkpoint.path)
    sha256 = hashlib.sha256()
    found = False
    for name, own in sorted(checkpoint.module_names().items()):
        if scopes.reason_to_skip(name) is None:
            found = True
            for key in checkpoint.variables[own].keys:
                value = reader.get_tensor(key)
                sha256.update(f'{name}\0{value.dtype}{value.shape}\0'.encode())
                sha256.update(value.tobytes())
    return sha256.hexdigest() if found else None


def _open(options: FineTuningOptions) -> tuple[Checkpoint, _Scopes]:
    assert options.warm_start_ckpt is not None
    scopes = _Scopes(options.checkpoint_restore_scopes, options.checkpoint_exclude_scopes)
    return read_checkpoint(find_warm_start(options.warm_start_ckpt)), scopes


def _warm_start(options: FineTuningOptions, num_classes: int) -> None:
    checkpoint, scopes = _open(options)
    variables = _variables()
    names = {name: checkpoint.name_of(name) for name in variables}
    _check_any(checkpoint, names)
    scopes.check([*variables, *checkpoint.variables])
    statuses = [
        _restore_status(variables[name], name, own, checkpoint, scopes, num_classes)
        for name, own in names.items()
    ]
    restored = [status.name for status in statuses if status.kind == 'restored']
    classes = next((status.classes_there for status in statuses if status.classes_there), None)
    if not restored and classes is None:
        raise ConfigError(
            f'{checkpoint.path}: --checkpoint_restore_scopes and --checkpoint_exclude_scopes leave '
            f'nothing to restore'
        )
    # Of a strategy's variables the whole ones: what their components are initialized with is void.
    pairs = [
        (checkpoint.variables[names[name] or name].keys[0], variables[name]) for name in restored
    ]
    tf.compat.v1.train.init_from_checkpoint(checkpoint.path, pairs)
    log(f'warm start from {checkpoint.path}:')
    for line in table(statuses):
        log(f'  {line}')
    if classes is not None:
        log(f'the classes differ ({classes} there, {num_classes} here): the last layer starts over')
    for status in statuses:
        logging.getLogger(__name__).debug('%s: %s %s', status.name, *status.outcome)


def _variables() -> dict[str, tf.Variable]:
    """Return the variables that can start from a checkpoint, by name.

    A strategy lists its variables and beside them their components, one on each device.
    """
    listed = tf.compat.v1.global_variables()
    components = {id(part) for variable in listed for part in getattr(variable, 'values', ())}
    named = {v.name.partition(':')[0]: v for v in listed if id(v) not in components}
    return {
        name: variable
        for name, variable in named.items()
        if name != STEP and not name.startswith(AVERAGES)
    }


def _check_any(checkpoint: Checkpoint, names: dict[str, str | None]) -> None:
    """Raise MismatchError if checkpoint and graph have no variable in common."""
    if not any(names.values()):
        there = [name for name in checkpoint.variables if name != STEP]
        raise MismatchError(
            f'{checkpoint.path}: a checkpoint of another network, no variable of this run is in it '
            f'(there: {_some(there)}; here: {_some(names)})'
        )


def _restore_status(
    variable: tf.Variable,
    name: str,
    own: str | None,
    checkpoint: Checkpoint,
    scopes: _Scopes,
    num_classes: int,
) -> RestoreStatus:
    """Decide what is to become of one variable, which the checkpoint calls `own`.

    Raises:
      MismatchError: it cannot be restored.
    """
    shape = variable.shape
    skip = scopes.reason_to_skip(name)
    if skip is not None:
        return RestoreStatus(name, shape, 'skipped', skip)
    if own is None:
        is_modules = name.startswith(MODULE)
        return RestoreStatus(
            name, shape, 'new', 'from the module' if is_modules else 'not in the checkpoint'
        )
    stored = checkpoint.variables[own]
    leave_out = f'leave it out with --checkpoint_exclude_scopes {name.rpartition("/")[0] or name}'
    if len(stored.keys) > 1:
        raise MismatchError(
            f'{checkpoint.path}: {len(stored.keys)} variables are called {own}: {leave_out}'
        )
    if not shape.is_compatible_with(stored.shape):
        if _is_of_classes(name, shape, stored.shape, num_classes):
            why = f'other classes: {stored.shape.as_list()} there'
            return RestoreStatus(name, shape, 'skipped', why, int(stored.shape[-1]))
        raise MismatchError(
            f'{checkpoint.path}: {name} has the shape {stored.shape.as_list()} there and '
            f'{shape.as_list()} in this run: {leave_out}'
        )
    if variable.dtype.base_dtype != stored.dtype:
        raise MismatchError(
            f'{checkpoint.path}: {name} is {stored.dtype.name} there and '
            f'{variable.dtype.base_dtype.name} in this run: {leave_out}'
        )
    return RestoreStatus(name, shape, 'restored')


def _is_of_classes(
    name: str, shape: tf.TensorShape, there: tf.TensorShape, num_classes: int
) -> bool:
    """Return whether nothing but the number of classes makes a variable's shape another one."""
    same_rank = shape.rank == there.rank and shape.rank > 0
    outside = same_rank and not name.startswith(MODULE)
    return outside and shape[:-1] == there[:-1] and shape[-1] == num_classes


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ', '.join(names[:SHOWN]) + (' ...' if len(names) > SHOWN else '')
