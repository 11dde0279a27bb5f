"""Describe cached features in FOLDER/features.json, and how to tell that they are whole.

Imports no TensorFlow.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from library import files

# Beside the folders of the splits. A name with a dot is no class and no split to a conversion.
FEATURES_FOLDER = '.features'
MANIFEST = 'features.json'
# The same content while shards are still missing.
UNFINISHED = 'unfinished.json'
FORMAT = 'image-features-tfrecords'
VERSION = 1


@dataclass(frozen=True)
class FeatureShard:
    """One shard file: its name, how many records it holds, its size and digest."""

    name: str
    examples: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class FeatureManifest:
    """The features of one split.

    Attributes:
      made_from: all that the features follow from.
      copies: how many differently augmented copies there are of each image; each copy has
        equally many shards.
      depth: length of a feature vector.
      shards: copy after copy, and within each in the order of the images.
      folder: where the manifest was read from; not part of the file.
    """

    made_from: Mapping[str, Any]
    copies: int
    depth: int
    shards: tuple[FeatureShard, ...]
    folder: str = ''

    @property
    def examples(self) -> int:
        """Count the images, each once."""
        return sum(shard.examples for shard in self.shards) // self.copies

    @property
    def paths_of_copies(self) -> list[list[str]]:
        """Return the paths of each copy's shards."""
        paths = [files.join(self.folder, shard.name) for shard in self.shards]
        span = len(paths) // self.copies
        return [paths[copy * span : (copy + 1) * span] for copy in range(self.copies)]


def write_manifest(manifest: FeatureManifest, name: str) -> None:
    """Write the manifest under MANIFEST or UNFINISHED into its folder."""
    content = {'format': FORMAT, 'version': VERSION, **dataclasses.asdict(manifest)}
    del content['folder']
    text = json.dumps(content, indent=1) + '\n'
    files.write_atomically(files.join(manifest.folder, name), text.encode())


def read_manifest(folder: str, name: str) -> FeatureManifest | None:
    """Read a folder's manifest; None if it is missing or damaged: all can be made anew.

    Whether the shards are there is another question.
    """
    path = files.join(folder, name)
    if not files.exists(path):
        return None
    try:
        content = json.loads(files.read_bytes(path))
        if (content['format'], content['version']) != (FORMAT, VERSION):
            return None
        shards = tuple(FeatureShard(**each) for each in content['shards'])
        made_from, copies, depth = (content[key] for key in ('made_from', 'copies', 'depth'))
        return FeatureManifest(made_from, copies, depth, shards, folder)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def is_there(shard: FeatureShard, folder: str) -> bool:
    """Return True if the shard's file exists and has the size that was written."""
    path = files.join(folder, shard.name)
    return files.exists(path) and files.size(path) == shard.bytes


def is_whole(shard: FeatureShard, folder: str) -> bool:
    """Return True if the shard's file exists with the content that was written."""
    if not is_there(shard, folder):
        return False
    return files.digest(files.join(folder, shard.name))[1] == shard.sha256
