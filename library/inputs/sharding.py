"""Say which images one process feeds, where several pipelines may train one model together.

A pipeline is the chain of one process. Imports no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from library.errors import ConfigError
from library.inputs.options import DataOptions
from library.records.feature_manifest import MANIFEST, read_manifest
from library.records.listing import Split
from library.records.manifest import Manifest

# Fewer files than this to a shard make uneven shards.
FILES_PER_SHARD = 4


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
    offload: Callable[[Any], Any] = lambda dataset: dataset


def is_by_file(files: int, shards: int) -> bool:
    """Return whether each file is read for one shard alone; otherwise all are read for each."""
    return files >= FILES_PER_SHARD * shards


def check_shards(examples: int, shards: int) -> None:
    """Raise ConfigError where a shard would be empty: its pipeline would look for ever."""
    if examples < shards:
        raise ConfigError(
            f'{examples} training images cannot be divided among {shards} workers: start fewer '
            f'workers'
        )


def sharding_of(
    data: DataOptions,
    split: Split,
    pipelines: int,
    features: str | None = None,
    offloaded: bool = False,
) -> str:
    """Say in a sentence, for the log, how the training images are divided.

    Args:
      data: how the batches are made.
      split: the training images.
      pipelines: processes that train together.
      features: the folder of the features that are trained on instead of images.
      offloaded: the workers of a tf.data service prepare the images.

    Returns:
      The sentence; '' for a process that trains alone.

    Raises:
      ConfigError: there are fewer images than pipelines.
    """
    if pipelines == 1:
        return ''
    each = f'each of {pipelines} workers'
    if data.use_synthetic_data:
        return f'{each} trains on the same noise'
    if offloaded and not features:
        return f'{each} takes its batches from one stream of the tf.data service'
    check_shards(split.examples, pipelines)
    every = f'every {pipelines}{_ending(pipelines)} image'
    paths = _paths(split, features)
    if not paths:
        return f'{each} takes {every}'
    files = f'{paths} file{"s" if paths > 1 else ""}' + (' of features' if features else '')
    if data.debug:
        return f'{each} reads {files} in stored order and takes {every}'
    if is_by_file(paths, pipelines):
        return f'{each} reads its own of {files}'
    fewest = FILES_PER_SHARD * pipelines
    # Nobody chooses the number of files of features, or of records that another program wrote.
    is_converted = isinstance(split, Manifest) and not features
    advice = f'; convert the images with --num_shards {fewest} or more' if is_converted else ''
    all_files = f'all {files}' if paths > 1 else files
    return f'{each} reads {all_files} and takes {every}: fewer than {fewest} files{advice}'


def _paths(split: Split, features: str | None) -> int:
    """Return how many files of records an epoch has; 0 where images lie in files of their own."""
    if features:
        manifest = read_manifest(features, MANIFEST)
        # If it is gone, the chain itself says so.
        return len(manifest.paths_of_copies[0]) if manifest else 0
    return len(getattr(split, 'shard_paths', ()))


def _ending(number: int) -> str:
    """Return the ending of an ordinal number: st, nd, rd, th."""
    if number % 100 in (11, 12, 13):
        return 'th'
    return {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')
