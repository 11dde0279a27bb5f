"""Read what the file of a TF-Hub module says, and load it as a layer."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tensorflow_hub as hub
from google.protobuf.message import DecodeError
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf import saved_model_pb2, struct_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.saved_object_graph_pb2 import SavedObjectGraph

from library import files
from library.checkpoints.readable import is_readable
from library.errors import MismatchError, ResourceError
from library.hooks.watched import in_first_replica

# Operations that draw from a state outside of the graph's variables: a run that stops and goes on
# draws other numbers. Stateless operations, and generators that keep a variable, are none.
STATEFUL_RANDOM = {
    'FractionalAvgPool',
    'FractionalMaxPool',
    'Multinomial',
    'NonDeterministicInts',
    'ParameterizedTruncatedNormal',
    'RandomCrop',
    'RandomGamma',
    'RandomPoisson',
    'RandomPoissonV2',
    'RandomShuffle',
    'RandomStandardNormal',
    'RandomUniform',
    'RandomUniformInt',
    'SampleDistortedBoundingBox',
    'SampleDistortedBoundingBoxV2',
    'TruncatedNormal',
}
# The file that tells a module of TensorFlow 1's hub format from a SavedModel for serving.
TF1_MODULE = 'tfhub_module.pb'


@dataclass(frozen=True)
class ModuleInfo:
    """What the files of a module say.

    Attributes:
      image_size: edge of the square input in pixels; None if any size goes.
      is_tf1: written in TensorFlow 1's hub format, which cannot be fine-tuned.
      digest: sha256 over graph and variables; the same module gives the same anywhere.
    """

    image_size: int | None
    is_tf1: bool
    digest: str


@dataclass(frozen=True)
class _Input:
    """Shape (-1 is free) and type of one tensor that the module takes."""

    shape: tuple[int, ...]
    dtype: int


def inspect_module(folder: str) -> ModuleInfo:
    """Read saved_model.pb, which takes a hundredth of the time of loading the module.

    Raises:
      ResourceError: the module is damaged.
      MismatchError: it takes no float32 batches of square RGB images of any length.
    """
    saved_model = saved_model_pb2.SavedModel()
    try:
        saved_model.ParseFromString(files.read_bytes(files.join(folder, 'saved_model.pb')))
        graph = saved_model.meta_graphs[0]
    except (DecodeError, IndexError):
        raise ResourceError(f'{folder}: saved_model.pb is damaged') from None
    is_tf1 = not graph.object_graph_def.nodes
    if is_tf1 and not files.exists(files.join(folder, TF1_MODULE)):
        raise MismatchError(f'{folder}: a SavedModel of TensorFlow 1, but no TF-Hub module')
    variables = files.join(folder, 'variables', 'variables')
    # A module of TensorFlow 1 without variables has no such file.
    if not (is_tf1 and not files.exists(f'{variables}.index')) and not is_readable(variables):
        raise ResourceError(
            f'{folder}: the variables of the module are missing or damaged (if it was unpacked or '
            f'downloaded here, delete the folder and run again)'
        )
    inputs = _tf1_inputs(graph) if is_tf1 else _call_inputs(graph.object_graph_def)
    return ModuleInfo(_image_size(folder, inputs), is_tf1, _digest(folder))


def load_module(folder: str, trainable: bool) -> hub.KerasLayer:
    """Load the module as a layer, whose variables are among the default graph's global ones.

    Raises:
      ResourceError: it cannot be loaded.
    """
    try:
        layer = hub.KerasLayer(folder, trainable=trainable)
    # A loader of whole programs raises about anything; its first line says most.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ResourceError(f'{folder}: the module cannot be loaded ({reason})') from error
    _unlist_components(layer.variables)
    return layer


def check_use(info: ModuleInfo, module: str, image_size: int | None, fine_tuning: bool) -> None:
    """Raise MismatchError if a module cannot be used as the options of a run ask for.

    Args:
      info: what its files say.
      module: its name, for the messages.
      image_size: edge of the images that are asked for; None leaves it to the module.
      fine_tuning: its variables shall be trained.
    """
    if info.image_size and image_size and image_size != info.image_size:
        raise MismatchError(
            f'{module}: takes images of {info.image_size} pixels, not --image_size '
            f'{image_size}; leave image_size out'
        )
    if info.is_tf1 and fine_tuning:
        raise MismatchError(
            f'{module}: a module in the TF1 format cannot be fine-tuned; choose one '
            f'in the TF2 format, or --no_fine_tuning'
        )


def features_of(layer: hub.KerasLayer, images: tf.Tensor, training: bool) -> tf.Tensor:
    """Call a module in the default graph.

    Args:
      layer: as `load_module` gives it.
      images: what it takes.
      training: its batch norm and dropout are as in training.
    """
    # Python decides nothing in a layer of TF-Hub by a tensor's value, and to look for that takes
    # half a second in every graph.
    call = tf.autograph.experimental.do_not_convert(layer)
    return call(images, training=training)


def check_features(features: Any, module: str) -> None:
    """Raise MismatchError unless `features` are feature vectors, [batch, depth]."""
    if not isinstance(features, tf.Tensor) or features.shape.rank != 2:
        given = f'shape {features.shape}' if isinstance(features, tf.Tensor) else type(features)
        raise MismatchError(
            f'{module}: gives {given}, expected feature vectors [batch, depth]; choose a '
            f'feature_vector module'
        )


def warn_of_randomness(module: str, images: tf.Tensor, features: tf.Tensor) -> None:
    """Warn, in one line and once, where a run with this module cannot be repeated to the last bit.

    Args:
      module: its name, for the message.
      images: what the module was called with in the default graph.
      features: what that call gave.
    """
    operations = random_operations(images, features) if in_first_replica() else []
    if operations:
        logging.getLogger(__name__).warning(
            'warning: %s: the module draws random numbers of its own (%s): this run will not be '
            'bit-identical if it is repeated, or stopped and resumed',
            module,
            ', '.join(operations),
        )


def random_operations(images: tf.Tensor, features: tf.Tensor) -> list[str]:
    """Find the kinds of stateful random operations between two tensors of the default graph.

    Those within the functions that are called on the way are found too, to any depth, in all
    branches. A function that is there but not called, such as a module's other mode, does not
    count.
    """
    seen = {images.op}
    waiting = [features.op]
    nodes = []
    while waiting:
        operation = waiting.pop()
        if operation not in seen:
            seen.add(operation)
            nodes.append(operation.node_def)
            waiting += [each.op for each in operation.inputs]
    library = images.graph.as_graph_def().library
    functions = {function.signature.name: function.node_def for function in library.function}
    kinds: set[str] = set()
    called: set[str] = set()
    while nodes:
        node = nodes.pop()
        kinds.add(node.op)
        for name in functions_of(node) - called:
            called.add(name)
            nodes += functions.get(name, [])
    return sorted(kinds & STATEFUL_RANDOM)


def functions_of(node: NodeDef) -> set[str]:
    """Return the names of the functions that a node may call."""
    names = {attribute.func.name for attribute in node.attr.values() if attribute.HasField('func')}
    listed = {each.name for attribute in node.attr.values() for each in attribute.list.func}
    return names | listed


def _unlist_components(variables: list[tf.Variable]) -> None:
    """Take what a strategy's variables consist of, one on each device, from the global variables.

    Loaded variables are listed there as well as their components, which checkpoints would hold too.
    """
    components = {id(part) for variable in variables for part in getattr(variable, 'values', ())}
    listed = tf.compat.v1.get_collection_ref(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES)
    listed[:] = [variable for variable in listed if id(variable) not in components]


def _image_size(folder: str, inputs: list[_Input]) -> int | None:
    """Return the edge of the images that the module takes, by its first input that can be any."""
    for each in inputs:
        if len(each.shape) == 4 and each.shape[3] in (3, -1):
            batch, height, width, _ = each.shape
            if each.dtype != tf.float32.as_datatype_enum or batch != -1:
                dtype = tf.dtypes.as_dtype(each.dtype).name
                raise MismatchError(
                    f'{folder}: takes {dtype} {list(each.shape)}, expected float32 batches of any '
                    f'length'
                )
            if height != width:
                raise MismatchError(f'{folder}: takes images of {height}x{width}, not square')
            return height if height > 0 else None
    raise MismatchError(f'{folder}: takes no batch of RGB images [batch, height, width, 3]')


def _call_inputs(objects: SavedObjectGraph) -> list[_Input]:
    """Return the tensors that the module's __call__ takes, over all its traces."""
    children = {child.local_name: child.node_id for child in objects.nodes[0].children}
    if '__call__' not in children:
        return []
    function = objects.nodes[children['__call__']].function
    inputs: list[_Input] = []
    for name in function.concrete_functions:
        _collect(objects.concrete_functions[name].canonicalized_input_signature, inputs)
    return inputs


def _collect(value: struct_pb2.StructuredValue, inputs: list[_Input]) -> None:
    """Gather all tensors in a nest."""
    kind = value.WhichOneof('kind')
    if kind == 'tensor_spec_value' and not value.tensor_spec_value.shape.unknown_rank:
        spec = value.tensor_spec_value
        inputs.append(_Input(tuple(dimension.size for dimension in spec.shape.dim), spec.dtype))
    elif kind in ('tuple_value', 'list_value'):
        for each in getattr(value, kind).values:
            _collect(each, inputs)
    elif kind == 'dict_value':
        for each in value.dict_value.fields.values():
            _collect(each, inputs)


def _tf1_inputs(graph: MetaGraphDef) -> list[_Input]:
    return [
        _Input(tuple(dimension.size for dimension in each.tensor_shape.dim), each.dtype)
        for each in graph.signature_def['default'].inputs.values()
    ]


def _digest(folder: str) -> str:
    """Digest names and contents of the files that make the module what it is."""
    variables = files.names_in(files.join(folder, 'variables'))
    names = ['saved_model.pb', *(files.join('variables', name) for name in variables)]
    return files.digest_of_all(folder, names)
