"""Plan where the features of a split are kept: folder, key, names of shards."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from library import files
from library.config.fields import options_of
from library.config.hparams import HParams
from library.inputs.options import ImageOptions
from library.models.code_digest import code_digest
from library.records.feature_manifest import (
    FEATURES_FOLDER,
    MANIFEST,
    UNFINISHED,
    FeatureShard,
    is_there,
    is_whole,
    read_manifest,
)
from library.records.manifest import Manifest
from library.records.shards import shard_names
from library.runs.metadata import Run

# Shards of this size lose little when a process dies (7 s of two cores with EfficientNet-Lite0),
# and are still read in one go (5 MB of its 1280 features).
IMAGES_PER_SHARD = 1024
# Enough of the digest to tell caches of one data set apart, and short enough to type.
KEY_LENGTH = 16


@dataclass(frozen=True)
class PlannedShard:
    """One file to be: its name, and the numbers of its images, `first` to `last`, less one.

    Image i of copy c has the number c * (images of the split) + i.
    """

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Plan:
    """The features of one split.

    Attributes:
      folder: where they are kept.
      made_from: all that they follow from; the folder's name follows from it.
      training: which of the run's two splits it is.
      copies: augmented copies; 0 is the images as they are.
      examples: images of the split.
      shards: in reading order.
    """

    folder: str
    made_from: dict[str, Any]
    training: bool
    copies: int
    examples: int
    shards: tuple[PlannedShard, ...]


def plan_features(
    hparams: HParams,
    run: Run,
    split: Manifest,
    training: bool,
    copies: int,
    input_fn: Callable[..., tf.data.Dataset],
) -> Plan:
    """Plan the features of a split.

    Args:
      hparams: every option, completed by what data and model say.
      split: the images.
      training: these are the training images.
      copies: augmented copies of each; 0 is the image as it is.
      input_fn: the project's function that makes pixels.
    """
    made_from = _made_from(hparams, run, split, copies, input_fn)
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    split_folder = split.folder.rstrip('/')
    if os.path.basename(split_folder) in ('', '.', '..'):
        split_folder = os.path.abspath(split_folder)
    root, name = os.path.split(split_folder)
    folder = files.join(root, FEATURES_FOLDER, f'{name}-{digest[:KEY_LENGTH]}')
    shards = _planned_shards(name, split.examples, max(copies, 1))
    return Plan(folder, made_from, training, copies, split.examples, shards)


def finished_shards(
    plan: Plan, known: Mapping[str, FeatureShard] | None = None
) -> tuple[dict[str, FeatureShard], bool]:
    """Find what is there of a plan, unharmed.

    Args:
      plan: what is wanted.
      known: shards that were compared with their digests a moment ago, by their names.

    Returns:
      Shards by their names, and whether nothing is left to do.
    """
    done: dict[str, FeatureShard] = {}
    for name in (MANIFEST, UNFINISHED):
        manifest = read_manifest(plan.folder, name)
        # The folder's name is a part of the digest only.
        if manifest is None or manifest.made_from != plan.made_from:
            continue
        expected = {shard.name: shard.last - shard.first for shard in plan.shards}
        for shard in manifest.shards:
            if shard.name in done or expected.get(shard.name) != shard.examples:
                continue
            if shard == (known or {}).get(shard.name) or is_whole(shard, plan.folder):
                done[shard.name] = shard
        if name == MANIFEST and len(done) == len(plan.shards):
            return done, True
    return done, False


def is_finished(plan: Plan) -> bool:
    """Return whether all of a plan is there, as another process noted, digests unread."""
    manifest = read_manifest(plan.folder, MANIFEST)
    return (
        manifest is not None
        and manifest.made_from == plan.made_from
        and all(is_there(shard, plan.folder) for shard in manifest.shards)
    )


def _made_from(
    hparams: HParams,
    run: Run,
    split: Manifest,
    copies: int,
    input_fn: Callable[..., tf.data.Dataset],
) -> dict[str, Any]:
    """Put together all that features follow from, as JSON gives it back."""
    entries = hparams.entries()
    random = {name: _plain(e.value) for name, e in entries.items() if e.option.changes_images}
    always = [each.name for each in options_of(ImageOptions) if not each.changes_images]
    return {
        'features_digest': run.features_digest,
        'module_from': run.module_from,
        'image_size': hparams.image_size,
        **{name: _plain(entries[name].value) for name in always},
        'augmentation': (
            random | {'random_seed': hparams.random_seed, 'copies': copies} if copies else None
        ),
        'shards': [shard.sha256 for shard in split.shards],
        'labels': list(split.labels),
        'tensorflow': tf.version.VERSION,
        'code': code_digest(input_fn),
    }


def _plain(value: Any) -> Any:
    """Give a value as JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value


def _planned_shards(name: str, examples: int, copies: int) -> tuple[PlannedShard, ...]:
    span = -(-examples // IMAGES_PER_SHARD)
    names = shard_names(name, span * copies)
    bounds = [
        copy * examples + examples * part // span for copy in range(copies) for part in range(span)
    ]
    ends = [*bounds[1:], copies * examples]
    return tuple(PlannedShard(*each) for each in zip(names, bounds, ends, strict=True))
