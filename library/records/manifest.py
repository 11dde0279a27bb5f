"""Describe a data set in NAME.json beside its shards, and how to tell that it is whole.

A TFRecord cut off at the end of a record reads like a whole one; only the counts and sizes
kept here show it. Imports no TensorFlow.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from library import files
from library.errors import DataError
from library.records.listing import Split
from library.records.shards import is_shard

FORMAT = 'image-classification-tfrecords'
VERSION = 1
# The format's name is the first key: this much of a file shows whether it is a manifest.
HEAD = 200


@dataclass(frozen=True)
class Changed:
    """How many images were altered in one way, beside their size, and the first of their files.

    Attributes:
      change: what was done, such as 'turned'.
      images: how many.
      files: names of the first.
    """

    change: str
    images: int
    files: tuple[str, ...] = ()

    # Names that are kept of each change.
    NAMED: ClassVar[int] = 24

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Changed:
        """Read what `dataclasses.asdict` and JSON made of one; raises TypeError or KeyError."""
        return cls(content['change'], content['images'], tuple(content['files']))

    @classmethod
    def together(cls, changes: Iterable[Changed]) -> tuple[Changed, ...]:
        """Add those up that have one name, in the order of names."""
        images: Counter[str] = Counter()
        names: dict[str, tuple[str, ...]] = {}
        for each in changes:
            images[each.change] += each.images
            names[each.change] = (*names.get(each.change, ()), *each.files)[: cls.NAMED]
        return tuple(cls(change, images[change], names[change]) for change in sorted(images))


@dataclass(frozen=True)
class Shard:
    """One shard file.

    Attributes:
      name: of the file.
      examples: how many records it holds.
      bytes, sha256: its size and digest.
      inputs: digest of all that it was made from: equal inputs make equal shards.
      reencoded: how many of its images were not stored byte for byte.
      changes: what else was altered in its images.
    """

    name: str
    examples: int
    bytes: int
    sha256: str
    inputs: str = ''
    reencoded: int = 0
    changes: tuple[Changed, ...] = ()

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Shard:
        """Read what `dataclasses.asdict` and JSON made of one; raises TypeError or KeyError."""
        if 'changes' not in content:  # those of earlier versions
            return cls(**content)
        changes = tuple(Changed.from_json(each) for each in content['changes'])
        return cls(**{**content, 'changes': changes})


@dataclass(frozen=True)
class Rejected:
    """An image that was left out, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Manifest:
    """One converted split of a data set.

    Attributes:
      class_names: in the order of their labels.
      examples_per_class: the count of each class.
      shards: in reading order.
      options: of the conversion.
      splits: the names of all splits that were made together, this one too; () if it is alone.
      rejected: images left out. ignored: files that are not images of any class.
      folder: where the manifest was read from; not part of the file.
      root: the folder that the names of the shards start from, where it is another one; not part of
        the file.
      labels: what the labels in the records become, in their order, where the classes of a run are
        numbered otherwise; () where they stay. Not part of the file.
    """

    class_names: tuple[str, ...]
    examples_per_class: dict[str, int]
    shards: tuple[Shard, ...]
    options: dict[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    ignored: tuple[str, ...] = ()
    folder: str = ''
    root: str = ''
    labels: tuple[int, ...] = ()

    @property
    def examples(self) -> int:
        """Count the records that all shards hold together."""
        return sum(shard.examples for shard in self.shards)

    @property
    def label_counts(self) -> tuple[int, ...]:
        """Count the records of each class, in the order of labels."""
        return tuple(self.examples_per_class.get(name, 0) for name in self.class_names)

    @property
    def reencoded(self) -> int:
        """Count the images that were not stored byte for byte."""
        return sum(shard.reencoded for shard in self.shards)

    @property
    def changes(self) -> tuple[Changed, ...]:
        """Return what was altered in images, beside their size, by its name."""
        return Changed.together(each for shard in self.shards for each in shard.changes)

    @property
    def shard_paths(self) -> list[str]:
        """Return the paths of the shards that hold records, in reading order."""
        root = self.root or self.folder
        return [files.join(root, shard.name) for shard in self.shards if shard.examples]

    def to_json(self) -> str:
        """Return the file's text; the same for the same content."""
        content = {'format': FORMAT, 'version': VERSION, 'examples': self.examples}
        content |= {'changes': {each.change: each.images for each in self.changes}}
        content |= dataclasses.asdict(self)
        del content['folder'], content['root'], content['labels']
        return json.dumps(content, indent=1) + '\n'

    def renumbered(self, class_names: tuple[str, ...]) -> Manifest:
        """Return the same records for a run that knows more classes, or has them in another order.

        Args:
          class_names: of the run, in the order of its labels; all of the data set's are among them.
        """
        label_of = {name: label for label, name in enumerate(class_names)}
        labels = tuple(label_of[name] for name in self.class_names)
        return dataclasses.replace(self, class_names=class_names, labels=labels)


def from_json(text: bytes | str, path: str) -> Manifest:
    """Read a manifest's text.

    Raises:
      DataError: `path` holds something else.
    """
    try:
        content = json.loads(text)
        if content['format'] != FORMAT or content['version'] != VERSION:
            raise ValueError('another format or version')
        manifest = Manifest(
            class_names=tuple(content['class_names']),
            examples_per_class=dict(content['examples_per_class']),
            shards=tuple(map(Shard.from_json, content['shards'])),
            options=dict(content['options']),
            splits=tuple(content.get('splits', ())),
            rejected=tuple(Rejected(**each) for each in content['rejected']),
            ignored=tuple(content['ignored']),
            folder=os.path.dirname(path),
        )
        if manifest.examples != content['examples']:
            raise ValueError('its counts do not add up')
        return manifest
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f'{path}: not a manifest of converted images ({error})') from None


def check_whole(manifest: Manifest) -> None:
    """Raise DataError unless all shards are there in full size, and no others."""
    for shard in manifest.shards:
        shard_path = files.join(manifest.folder, shard.name)
        if not files.exists(shard_path):
            raise DataError(f'{shard_path}: the shard is missing; convert the images again')
        size = files.size(shard_path)
        if size != shard.bytes:
            raise DataError(
                f'{shard_path}: {size} bytes, but {shard.bytes} were written; '
                f'convert the images again'
            )
    known = {shard.name for shard in manifest.shards}
    for name in files.names_in(manifest.folder):
        if is_shard(name) and name not in known:
            raise DataError(
                f'{files.join(manifest.folder, name)}: a shard that the manifest does not name; '
                f'remove it, or convert the images again'
            )
    if manifest.examples == 0:
        raise DataError(f'{manifest.folder}: the data set holds no images')


def read_manifest(folder: str) -> Manifest | None:
    """Read the manifest in a folder, or return None where nothing was converted into it.

    Raises:
      DataError: it cannot be read, or there are two.
    """
    names = manifest_names(folder)
    if len(names) > 1:
        raise DataError(f'{folder}: two data sets in one folder ({", ".join(names)}); keep one')
    if not names:
        return None
    path = files.join(folder, names[0])
    return from_json(files.read_bytes(path), path)


def manifest_names(folder: str) -> list[str]:
    """List the manifests in a folder; other people's JSON files may lie beside them."""
    return [
        name
        for name in files.names_in(folder)
        if name.endswith('.json') and is_manifest(files.join(folder, name))
    ]


def is_manifest(path: str) -> bool:
    """Return True for a file that a conversion wrote, whole or damaged."""
    # A FIFO would block for ever.
    if files.is_folder(path) or not (files.is_remote(path) or os.path.isfile(path)):
        return False
    try:
        with files.open_binary(path) as file:
            return FORMAT.encode() in file.read(HEAD)
    # A file that this process may not read is not its own.
    except OSError as error:
        if files.is_exhausted(error):
            raise
        return False


def check_same_classes(one: Split, other: Split) -> None:
    """Raise DataError unless both splits number the same classes in the same way."""
    if one.class_names == other.class_names:
        return
    only_one = sorted(set(one.class_names) - set(other.class_names))
    only_other = sorted(set(other.class_names) - set(one.class_names))
    if not only_one and not only_other:
        raise DataError(
            f'{one.folder} and {other.folder} number the same classes in another order; convert '
            f'both with the same --labels'
        )
    raise DataError(
        f'{one.folder} and {other.folder} hold different classes: '
        f'{_listed(only_one)} only in the first, {_listed(only_other)} only in the second; '
        f'convert both with the same --labels'
    )


def _listed(names: list[str]) -> str:
    shown = ', '.join(names[:5]) + (' ...' if len(names) > 5 else '')
    return shown or 'none'
