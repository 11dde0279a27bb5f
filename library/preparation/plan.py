"""Assign a split's images to shards before anything is decoded.

Shard and position follow from the sorted, seeded listing. A rejected image leaves a gap, so that
a pool of any size and Beam write the same files.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass

from library.errors import ConfigError
from library.preparation.encoding_options import EncodingOptions
from library.preparation.output import Target
from library.records.listing import LabelledImage, Unusable
from library.records.shards import shard_names, shard_of_item

# A shard of this size is read in one go by object stores and disks alike.
SHARD_BYTES = 100_000_000
# Bytes per pixel of a JPEG of quality 80, to guess the shards' sizes before anything is decoded.
JPEG_BYTES_PER_PIXEL = 0.2


@dataclass(frozen=True)
class PlannedShard:
    """One shard to write.

    Attributes:
      target: the split that it belongs to.
      name: its file name.
      images, digests: what goes in, in order.
      class_names: in the order of labels.
      inputs: sha256 of all that decides the shard's bytes; two shards of equal inputs are equal.
    """

    target: Target
    name: str
    images: tuple[LabelledImage, ...]
    digests: tuple[bytes, ...]
    class_names: tuple[str, ...]
    inputs: str


def plan_shards(
    target: Target,
    images: Sequence[LabelledImage],
    digests: Sequence[bytes],
    class_names: tuple[str, ...],
    encoding: EncodingOptions,
    *,
    num_shards: int | None,
    seed: int,
) -> list[PlannedShard]:
    """Distribute the images of a split.

    Args:
      images: in any order.
      digests: of each image's content.
      num_shards: None plans shards of about 100 MB, at least two.
      seed: of the order of the records.

    Raises:
      ConfigError: more shards than images are asked for.
    """
    if num_shards and num_shards > len(images):
        raise ConfigError(
            f'--num_shards {num_shards} is more than the {len(images)} images of {target.name}'
        )
    order = sorted(range(len(images)), key=lambda item: (images[item].filename, digests[item]))
    random.Random(seed).shuffle(order)
    count = num_shards or _count_shards(images, encoding.max_edge)
    members: list[list[int]] = [[] for _ in range(count)]
    for place, item in enumerate(order):
        members[shard_of_item(place, len(order), count)].append(item)
    fingerprint = hashlib.sha256(
        json.dumps([encoding.fingerprint(), class_names], sort_keys=True).encode()
    )
    shards = []
    for name, items in zip(shard_names(target.name, count), members, strict=True):
        inputs = fingerprint.copy()
        for item in items:
            image = images[item]
            inputs.update(f'\n{image.label} '.encode() + os.fsencode(image.filename) + b'\0')
            inputs.update(digests[item])
            if isinstance(image.content, Unusable):
                # A picture that is dropped this time has the digest that it always had.
                inputs.update(image.content.reason.encode('utf-8', 'surrogateescape'))
        shards.append(
            PlannedShard(
                target,
                name,
                tuple(images[item] for item in items),
                tuple(digests[item] for item in items),
                class_names,
                inputs.hexdigest(),
            )
        )
    return shards


def _count_shards(images: Sequence[LabelledImage], max_edge: int) -> int:
    """Choose the number of shards from the listing alone."""
    largest = JPEG_BYTES_PER_PIXEL * max_edge * max_edge
    expected = sum(min(image.size, largest) for image in images)
    return max(1, min(len(images), max(2, round(expected / SHARD_BYTES))))
