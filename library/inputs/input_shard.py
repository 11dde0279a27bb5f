"""Say which images one process feeds, from where on, and in which batches. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def _as_it_is(dataset: Any) -> Any:
    return dataset


@dataclass(frozen=True)
class InputShard:
    """What the caller of an input_fn decides about its chain.

    Attributes:
      batch_size: images in a batch of this process (of each replica, under a strategy).
      first: while training, how many images were fed before, to all processes together; otherwise
        the number of the first image. Random operations are keyed by these numbers.
      shards: how many parts each epoch is cut into.
      shard_index: the part that this process reads; None where a service deals all of them out to
        machines of its own.
      augments: training images are changed at random.
      has_strategy: a tf.distribute strategy feeds its own replicas.
      offload: lets other machines run all links before it.
    """

    batch_size: int
    first: int = 0
    shards: int = 1
    shard_index: int | None = 0
    augments: bool = False
    has_strategy: bool = False
    offload: Callable[[Any], Any] = _as_it_is
