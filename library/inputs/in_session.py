"""Take the elements of a chain in Python, outside of any training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import tensorflow as tf


def in_session(
    make: Callable[[], tf.data.Dataset], then: Callable[..., Any] | None = None
) -> Iterator[Any]:
    """Yield the elements of a chain, in a graph and a session of their own.

    Training has them so, too. An eager iterator that ends early holds Python's lock while it waits
    for its calls under way, and those that are in Python wait for the lock.

    Args:
      make: makes the chain, in that graph.
      then: what is wanted of an element, called with its parts in that graph; None is all of it.

    Yields:
      NumPy arrays in place of tensors; ask for no more than there are.
    """
    graph = tf.Graph()
    with graph.as_default():
        iterator = tf.compat.v1.data.make_initializable_iterator(make())
        element = iterator.get_next()
        wanted = element if then is None else then(*element)
        start = [iterator.initializer, tf.compat.v1.tables_initializer()]
    with closing(tf.compat.v1.Session(graph=graph)) as session:
        session.run(start)
        while True:
            yield session.run(wanted)
