"""Records to shard files under temporary names, and where a conversion writes at all."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from library import files
from library.preparation.images import PreparedImage
from library.preparation.sources.source import LabelledFile
from library.records.manifest import Shard
from library.records.shards import PARTIAL, is_shard_of, shard_names


@dataclass(frozen=True)
class Target:
    """Where the records go: DIR/NAME-00000-of-0000N.tfrecord and DIR/NAME.json."""

    folder: str
    name: str

    def path(self, file_name: str) -> str:
        """The path of one file in the folder."""
        return files.join(self.folder, file_name)

    @property
    def manifest(self) -> str:
        """The path of the manifest."""
        return self.path(f'{self.name}.json')

    @property
    def report(self) -> str:
        """The path of the list of rejected files."""
        return self.path(f'{self.name}.rejected.csv')

    def owns(self, file_name: str) -> bool:
        """True for a file that a conversion to this target wrote."""
        own = (self.manifest, self.report)
        return is_shard_of(self.name, file_name) or (
            self.path(file_name).removesuffix(PARTIAL) in own
        )


class ShardWriter:
    """Writes records into partial files, one shard after the other.

    Attributes:
      examples_per_class: records so far, by class name.
    """

    def __init__(self, target: Target, class_names: Sequence[str], count: int):
        self._target = target
        self._class_names = class_names
        self._names = shard_names(target.name, count)
        self._index = -1
        self._file: Any = None
        self._examples = 0
        self._shards: list[Shard] = []
        self.examples_per_class = dict.fromkeys(class_names, 0)

    def write(self, shard: int, image: LabelledFile, prepared: PreparedImage) -> None:
        """Adds one record; `shard` never falls from one call to the next."""
        # TensorFlow comes late: spawned workers import this module too.
        from library.records.example import encode_example

        self._advance(shard)
        text = self._class_names[image.label]
        self._file.write(
            encode_example(
                prepared.jpeg,
                prepared.height,
                prepared.width,
                image.label,
                text,
                image.filename,
            )
        )
        self._examples += 1
        self.examples_per_class[text] += 1

    def close(self) -> tuple[Shard, ...]:
        """Finishes the last shard, and empty ones after it; returns all, in order."""
        self._advance(len(self._names))
        return tuple(self._shards)

    def abandon(self) -> None:
        """Closes the open file; its content no longer matters."""
        if self._file is not None:
            # On a full disk this fails too, and would hide the first failure.
            with contextlib.suppress(Exception):
                self._file.close()

    def _advance(self, shard: int) -> None:
        import tensorflow as tf

        while self._index < shard:
            if self._file is not None:
                self._file.close()
                self._file = None
                self._shards.append(self._finished())
            self._index += 1
            if self._index < len(self._names):
                self._examples = 0
                self._file = tf.io.TFRecordWriter(self._partial_path())

    def _finished(self) -> Shard:
        path = self._partial_path()
        length, sha256 = files.digest(path)
        if not files.is_remote(path):
            files.sync(path)
        return Shard(self._names[self._index], self._examples, length, sha256)

    def _partial_path(self) -> str:
        return self._target.path(self._names[self._index] + PARTIAL)
