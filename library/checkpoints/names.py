"""Read any kind of checkpoint, and call its variables by the names that a graph gives them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from library import files
from library.checkpoints.newest import checkpoint_at
from library.checkpoints.readable import is_readable, open_checkpoint
from library.checkpoints.scopes import MODULE, POWERS
from library.errors import ConfigError, MismatchError

# TensorFlow 2's own name for the graph of objects that a checkpoint keeps beside the values.
OBJECT_GRAPH = '_CHECKPOINTABLE_OBJECT_GRAPH'
STEP = 'global_step'


@dataclass(frozen=True)
class Stored:
    """A variable of a checkpoint.

    Attributes:
      keys: what the file calls it; several where several variables have this one name.
      shape: of the first of them.
      dtype: of the first of them.
    """

    keys: tuple[str, ...]
    shape: tf.TensorShape
    dtype: tf.DType


@dataclass(frozen=True)
class Checkpoint:
    """What there is to start from.

    Attributes:
      path: of the checkpoint, without ending.
      variables: by their names.
    """

    path: str
    variables: dict[str, Stored]

    def name_of(self, name: str) -> str | None:
        """Return what this checkpoint calls the variable `name` of a graph; None without it."""
        if name in self.variables:
            return name
        # A run's own checkpoint keeps the scope, so that its head is never taken for a module's.
        bare = name.removeprefix(MODULE)
        return bare if bare in self.variables and STEP not in self.variables else None

    def module_names(self) -> dict[str, str]:
        """Map the variables that a module in a graph could take: name there to name here.

        Optimizer state does not count: it lies below a variable's name, or is a power of Adam's.
        """
        scoped = [name for name in self.variables if name.startswith(MODULE)]
        bare = [] if scoped or STEP in self.variables else list(self.variables)
        names = {name: name for name in scoped} | {f'{MODULE}{name}': name for name in bare}
        parts = {name: own.rpartition('/') for name, own in names.items()}
        return {
            name: names[name]
            for name, (parent, _, last) in parts.items()
            if parent not in self.variables and last not in POWERS
        }


def find_warm_start(path: str, emptied: str | None = None) -> str:
    """Find the path, without ending, of the checkpoint that --warm_start_ckpt means.

    Args:
      path: of a checkpoint, with or without .index; of a folder with checkpoints, which stands
        for the newest one; or of a SavedModel.
      emptied: a folder that the run will empty before it starts.

    Raises:
      ConfigError: there is no such checkpoint, or it will be deleted first.
      MismatchError: the checkpoint is damaged.
    """
    checkpoint = checkpoint_at(path)
    has_index = files.exists(f'{path.removesuffix(".index")}.index')
    if not has_index and files.exists(files.join(path, 'saved_model.pb')):
        checkpoint = files.join(path, 'variables', 'variables')
    if not files.exists(f'{checkpoint}.index'):
        raise ConfigError(
            f'--warm_start_ckpt {path}: no checkpoint, folder of checkpoints or SavedModel there'
        )
    if files.is_folder(checkpoint):
        raise ConfigError(
            f'--warm_start_ckpt {path}: TensorFlow would take {checkpoint} for a folder; copy the '
            f'checkpoint to a place of its own'
        )
    if emptied and _lies_in(emptied, checkpoint):
        raise ConfigError(f'--warm_start_ckpt {path}: lies in the folder that --clean empties')
    if not is_readable(checkpoint):
        raise MismatchError(f'--warm_start_ckpt {path}: the checkpoint {checkpoint} is damaged')
    return checkpoint


def read_checkpoint(path: str) -> Checkpoint:
    """Read names, shapes and types; no values.

    Args:
      path: of a checkpoint, without ending. TensorFlow 2 writes keys that follow the program's
        objects; the names are then found in the graph of objects beside them.
    """
    reader = open_checkpoint(path)
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    keys: dict[str, list[str]] = {name: [name] for name in shapes}
    if OBJECT_GRAPH in shapes:
        objects = TrackableObjectGraph.FromString(reader.get_tensor(OBJECT_GRAPH))
        keys = {}
        for name, key in dict.fromkeys(_named_keys(objects, path)):
            if key in shapes:
                keys.setdefault(name, []).append(key)
    return Checkpoint(
        path,
        {
            name: Stored(tuple(each), tf.TensorShape(shapes[each[0]]), dtypes[each[0]])
            for name, each in sorted(keys.items())
        },
    )


def _lies_in(folder: str, path: str) -> bool:
    return os.path.realpath(path).startswith(os.path.join(os.path.realpath(folder), ''))


def _named_keys(objects: TrackableObjectGraph, path: str) -> Iterator[tuple[str, str]]:
    """Yield pairs of name and key; what has a key and no name is left out."""
    attributes = [(n, each) for n, node in enumerate(objects.nodes) for each in node.attributes]
    # Variables of a distribution strategy are written without their names.
    unnamed = any(not each.full_name for _, each in attributes)
    names = _names_in_saved_model(objects, path) if unnamed else {}
    for number, each in attributes:
        name = each.full_name or names.get(number, '')
        if name:
            yield name, each.checkpoint_key


def _names_in_saved_model(objects: TrackableObjectGraph, path: str) -> dict[int, str]:
    """Return names by number of the object, from the SavedModel around the checkpoint, if any.

    Both files hold the same objects under different numbers: what they share is the path to each,
    from child to child.
    """
    folder = path.rpartition('/')[0].rpartition('/')[0]
    file = files.join(folder, 'saved_model.pb')
    if not files.exists(file):
        return {}
    nodes = SavedModel.FromString(files.read_bytes(file)).meta_graphs[0].object_graph_def.nodes
    names: dict[int, str] = {}
    waiting = [(0, 0)]
    while waiting:
        number, there = waiting.pop()
        if number in names:
            continue
        names[number] = nodes[there].variable.name
        children = {child.local_name: child.node_id for child in nodes[there].children}
        waiting += [
            (child.node_id, children[child.local_name])
            for child in objects.nodes[number].children
            if child.local_name in children
        ]
    return names
