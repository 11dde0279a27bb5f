"""Name numbers of a training graph, by which TensorBoard draws them and hooks find them."""

from __future__ import annotations

from etils import epy

from library.errors import ConfigError

with epy.lazy_imports():
    import tensorflow as tf

# Collections of the graph: one for each name.
WATCHED = 'watched/'
PARAMETERS = 'parameters/'


def watch(name: str, value: tf.Tensor) -> None:
    """Give a number a name, for TensorBoard, --log_tensors and metrics.jsonl.

    Call it while the graph of a training run is built: in model_fn, or in a model's build. The name
    stays as it is, in whatever scope it is given.

    Args:
      name: such as 'accuracy', or 'losses/l2' to stand beside other losses.
      value: a scalar of any number type. Under a strategy the first replica's is taken.

    Raises:
      ValueError: the name is taken.
    """
    if not in_first_replica():
        return
    if name == 'loss' or name in watched():
        raise ValueError(f'{name!r} is watched already')
    value = tf.cast(value, tf.float32)
    tf.compat.v1.add_to_collection(WATCHED + name, value)
    add_summary(tf.raw_ops.ScalarSummary(tags=name, values=value))


def watched() -> dict[str, tf.Tensor]:
    """Name to float32 scalar, of the default graph; 'loss' is what is minimized."""
    graph = tf.compat.v1.get_default_graph()
    found = {
        key.removeprefix(WATCHED): graph.get_collection(key)[0]
        for key in graph.get_all_collection_keys()
        if isinstance(key, str) and key.startswith(WATCHED)
    }
    # The Estimator adds the training loss as the last of this collection.
    losses = graph.get_collection(tf.compat.v1.GraphKeys.LOSSES)
    return ({'loss': losses[-1]} if losses else {}) | found


def find_tensor(name: str, flag: str) -> tf.Tensor:
    """Find what is watched under a name, or the graph's own tensor, such as head/logits/BiasAdd:0.

    Args:
      name: of the tensor; an operation's name means its first output.
      flag: the option that names it, for the message.

    Raises:
      ConfigError: there is neither.
    """
    known = watched()
    if name in known:
        return known[name]
    graph_name = name if ':' in name else f'{name}:0'
    try:
        return tf.compat.v1.get_default_graph().get_tensor_by_name(graph_name)
    except (KeyError, ValueError):
        raise ConfigError(
            f'--{flag} {name}: no such tensor in the graph (watched are {", ".join(known)})'
        ) from None


def note_parameters(trained: int, in_all: int) -> None:
    """Keep in the graph how many numbers the model has, for the environment log."""
    if in_first_replica():
        tf.compat.v1.add_to_collection(f'{PARAMETERS}trained', trained)
        tf.compat.v1.add_to_collection(f'{PARAMETERS}all', in_all)


def noted_parameters() -> dict[str, int]:
    """Return what `note_parameters` kept: 'trained' and 'all'; nothing where it was not called."""
    counts = {key: tf.compat.v1.get_collection(PARAMETERS + key) for key in ('trained', 'all')}
    return {key: found[0] for key, found in counts.items() if found}


def add_summary(summary: tf.Tensor) -> None:
    """Have a serialized summary written every save_summary_steps.

    Summaries are made by tf.raw_ops here: tf.summary would number a name that some operation of the
    graph has already, and TensorBoard would not find the curve of one run in another.
    """
    if in_first_replica():
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.SUMMARIES, summary)


def in_first_replica() -> bool:
    """Return whether the graph is that of the first replica, or there is no strategy."""
    replica = tf.distribute.get_replica_context()
    return replica is None or not tf.get_static_value(replica.replica_id_in_sync_group)
