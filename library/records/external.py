"""Read TFRecords that another program wrote once, to find out what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from typing import Any, NamedTuple

from library.errors import ConfigError, DataError
from library.records.example import features_of
from library.records.example_keys import (
    NAME,
    USUAL,
    Keys,
    find_keys,
    read_label,
    read_name,
)
from library.records.framing import read_records, walk

# More than any data set has; each label up to the highest takes a name.
MAX_CLASSES = 1_000_000


@dataclass(frozen=True)
class FileOrder:
    """How the classes stand in one file.

    Attributes:
      first: the label of the first record. in_a_row: how many records from there on have it.
      examples: all records. is_sorted: each class stands in one piece.
    """

    first: int
    in_a_row: int
    examples: int
    is_sorted: bool


@dataclass(frozen=True)
class ExternalRecords:
    """TFRecord files with an image and a label in each record, and no manifest.

    Attributes:
      class_names: by label: the name that the records give, otherwise the number.
      counts: how many records each label has, by label.
      shard_paths: the files, in reading order.
      folder: what was asked for, for messages.
      keys: which features hold image and label.
      orders: how the classes stand in each file that holds records.
      max_edge, quality: how the images that the run trains on are stored, where these are read
        without a conversion; None keeps their size.
      pictures, max_pixels: what the pixels mean, by option, and how many an image may count for.
    """

    class_names: tuple[str, ...]
    counts: Mapping[int, int]
    shard_paths: tuple[str, ...]
    folder: str
    keys: Keys = USUAL
    orders: tuple[FileOrder, ...] = field(default=(), compare=False)
    max_edge: int | None = None
    quality: int | None = None
    pictures: Mapping[str, Any] | None = None
    max_pixels: int | None = None

    @property
    def examples(self) -> int:
        """Count the records."""
        return sum(self.counts.values())

    @property
    def label_counts(self) -> tuple[int, ...]:
        """Count the records of each class, in the order of labels."""
        return tuple(self.counts.get(label, 0) for label in range(len(self.class_names)))

    def renamed(self, class_names: tuple[str, ...]) -> ExternalRecords:
        """Number the classes, which the records give by name, as another list of names does.

        Args:
          class_names: all names of this one, and perhaps more, in the order of the labels.
        """
        label_of = {name: label for label, name in enumerate(class_names)}
        counts = {label_of[self.class_names[label]]: count for label, count in self.counts.items()}
        return replace(self, class_names=class_names, counts=counts)

    def only_class_at_first(self, buffer: int, files_at_once: int) -> str | None:
        """Name the one class that a shuffle buffer holds at first, of records sorted by class.

        Args:
          buffer: records in it. files_at_once: from how many files they come.
        """
        of_each = max(1, buffer // min(files_at_once, len(self.orders) or 1))
        starts = {each.first for each in self.orders}
        if len(self.counts) < 2 or len(starts) > 1:
            return None
        is_filled = all(each.in_a_row >= min(of_each, each.examples) for each in self.orders)
        is_sorted = all(each.is_sorted for each in self.orders)
        return self.class_names[starts.pop()] if is_filled and is_sorted else None

    def place_of(self, image: bytes) -> str:
        """Name file, record and the image's own name of an encoded image, for messages."""
        for path in self.shard_paths:
            starts, _ = walk(path)
            for number, record in enumerate(read_records(path, starts)):
                features = features_of(record) if record is not None else {}
                if self.keys.image not in features:
                    continue
                if image in features[self.keys.image].bytes_list.value:
                    name = read_name(features)
                    shown = f' ({name})' if name else ''
                    return f'{_place(path, number, starts[number])}{shown}'
        return f'{self.folder}: an image'


def read_external(
    paths: Sequence[str],
    folder: str,
    image_key: str | None = None,
    label_key: str | None = None,
) -> ExternalRecords:
    """Read every record once.

    Args:
      paths: the files.
      folder: what to call them in messages.
      image_key, label_key: of the features; None takes the usual ones.

    Raises:
      ConfigError: no record has a key that was named.
      DataError: a file is damaged or compressed, or a record lacks a feature.
    """
    keys = USUAL
    texts: dict[int, str] = {}
    found: dict[str, list[int | str]] = {path: [] for path in paths}
    for each in labelled(paths, folder, image_key, label_key):
        keys = each.keys
        found[each.path].append(each.text if keys.kind == NAME else each.label)
        if keys.kind != NAME:
            texts.setdefault(each.label, each.text or str(each.label))
    if keys.kind == NAME:
        texts = dict(enumerate(sorted({str(each) for each in chain(*found.values())})))
    texts = named_apart(texts)
    class_names = tuple(texts.get(label, str(label)) for label in range(max(texts) + 1))
    label_of = {name: label for label, name in texts.items()} if keys.kind == NAME else {}
    labels = [
        [label_of[str(e)] if label_of else int(e) for e in classes] for classes in found.values()
    ]
    counts = Counter(chain(*labels))
    orders = tuple(_order(each) for each in labels if each)
    return ExternalRecords(class_names, counts, tuple(paths), folder, keys, orders)


def named_apart(texts: Mapping[int, str]) -> dict[int, str]:
    """Put the number behind a text that several labels have, such as the cranes of ImageNet."""
    counts = Counter(texts.values())
    return {
        label: text if counts[text] == 1 else f'{text} ({label})' for label, text in texts.items()
    }


class Labelled(NamedTuple):
    """A record as it was found.

    Attributes:
      path: its file. number: its place in the file, from 0. start: its first byte.
      record: its content.
      keys: of its features. label, text: as for `read_label`.
    """

    path: str
    number: int
    start: int
    record: bytes
    keys: Keys
    label: int
    text: str


def labelled(
    paths: Iterable[str], folder: str, image_key: str | None, label_key: str | None
) -> Iterator[Labelled]:
    """Yield each record of some files with its label; arguments and errors of `read_external`."""
    keys: Keys | None = None
    texts: dict[int, str] = {}
    for path in paths:
        for number, start, record in _records(path):
            try:
                keys = keys or find_keys(record, image_key, label_key)
                label, text = read_label(features_of(record), keys)
            except ConfigError as error:
                raise ConfigError(f'{_place(path, number, start)}: {error}') from None
            except ValueError as error:
                raise DataError(f'{_place(path, number, start)}: {error}') from None
            if keys.kind != NAME and not 0 <= label < MAX_CLASSES:
                raise DataError(f'{_place(path, number, start)}: has the label {label}')
            if text and keys.kind != NAME and texts.setdefault(label, text) != text:
                place = _place(path, number, start)
                raise DataError(f'{place}: label {label} is {text!r} here, {texts[label]!r} before')
            yield Labelled(path, number, start, record, keys, label, text)
    if keys is None:
        raise DataError(f'{folder}: the files hold no records')


def _order(labels: Sequence[int]) -> FileOrder:
    rows = [(label, sum(1 for _ in same)) for label, same in groupby(labels)]
    first, in_a_row = rows[0]
    return FileOrder(first, in_a_row, len(labels), len(rows) == len(set(labels)))


def _place(path: str, number: int, start: int) -> str:
    return f'{path}: record {number} at byte {start}'


def _records(path: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, first byte and content of each record of a file."""
    starts, problem = walk(path)
    if problem:
        raise DataError(f'{path}: {problem}')
    for number, record in enumerate(read_records(path, starts)):
        if record is None:
            raise DataError(f'{_place(path, number, starts[number])}: its checksum is wrong')
        yield number, starts[number], record
