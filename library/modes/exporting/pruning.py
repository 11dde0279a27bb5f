"""Take out of a SavedModel what its predictions do not need.

The graph of a checkpoint holds more: how variables start, how a module trains, its gradients. For a
large module that is several megabytes.
"""

from __future__ import annotations

import os

import tensorflow as tf
from tensorflow.core.framework import variable_pb2
from tensorflow.core.framework.function_pb2 import FunctionDefLibrary
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from library import files
from library.models.module_loading import functions_of
from library.modes.serving.saved import PROGRAM

VARIABLES = tf.compat.v1.GraphKeys.GLOBAL_VARIABLES


def prune_saved_model(folder: str) -> None:
    """Rewrite saved_model.pb in `folder`."""
    path = os.path.join(folder, PROGRAM)
    saved_model = SavedModel.FromString(files.read_bytes(path))
    for graph in saved_model.meta_graphs:
        prune(graph)
    files.write_atomically(path, saved_model.SerializeToString(deterministic=True))


def prune(graph: MetaGraphDef) -> None:
    """Remove the nodes, functions and collections that neither signatures nor restoring need."""
    variables = _variables(graph)
    starts = {variable.initializer_name for variable in variables}
    for node in graph.graph_def.node:
        if node.name in starts:
            # Loaders want to know such a node, and never run it: values are restored.
            node.CopyFrom(NodeDef(name=node.name, op='NoOp'))
    pruned = tf.compat.v1.graph_util.extract_sub_graph(
        graph.graph_def, sorted(_needed(graph, variables))
    )
    pruned.library.CopyFrom(_called(pruned))
    graph.graph_def.CopyFrom(pruned)
    for name in [name for name in graph.collection_def if name != VARIABLES]:
        del graph.collection_def[name]
    if variables:
        values = [variable.SerializeToString(deterministic=True) for variable in variables]
        graph.collection_def[VARIABLES].bytes_list.value[:] = values


def _variables(graph: MetaGraphDef) -> list[variable_pb2.VariableDef]:
    """Read the variables, without the nodes of their first values."""
    values = graph.collection_def[VARIABLES].bytes_list.value
    variables = [variable_pb2.VariableDef.FromString(value) for value in values]
    for variable in variables:
        variable.initial_value_name = ''
    return variables


def _needed(graph: MetaGraphDef, variables: list[variable_pb2.VariableDef]) -> set[str]:
    """Find the names of the nodes that somebody asks for."""
    tensors = {
        info.name
        for signature in graph.signature_def.values()
        for infos in (signature.inputs, signature.outputs)
        for info in infos.values()
    }
    saver = graph.saver_def
    tensors |= {saver.filename_tensor_name, saver.save_tensor_name, saver.restore_op_name}
    for variable in variables:
        tensors |= {variable.variable_name, variable.initializer_name, variable.snapshot_name}
    return {name.partition(':')[0] for name in tensors} - {''}


def _called(graph: GraphDef) -> FunctionDefLibrary:
    """Find the functions that the nodes call, and those that these call."""
    functions = {function.signature.name: function for function in graph.library.function}
    called: set[str] = set()
    waiting = list(graph.node)
    while waiting:
        node = waiting.pop()
        for name in (functions_of(node) | {node.op}) & set(functions) - called:
            called.add(name)
            waiting += functions[name].node_def
    return FunctionDefLibrary(function=[functions[name] for name in sorted(called)])
