"""Read TFRecords that another program wrote once, to find out what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from library.errors import DataError
from library.records.example import read_example
from library.records.framing import read_records, walk

# More than any data set has; each label up to the highest takes a name.
MAX_CLASSES = 1_000_000


@dataclass(frozen=True)
class ExternalRecords:
    """TFRecord files with the features image/encoded and image/class/label, and no manifest.

    Attributes:
      class_names: by label: image/class/text where the records have it, otherwise the number.
      counts: how many records each label has, by label.
      shard_paths: the files, in reading order.
      folder: what was asked for, for messages.
    """

    class_names: tuple[str, ...]
    counts: Mapping[int, int]
    shard_paths: tuple[str, ...]
    folder: str

    @property
    def examples(self) -> int:
        """Count the records."""
        return sum(self.counts.values())

    @property
    def label_counts(self) -> tuple[int, ...]:
        """Count the records of each class, in the order of labels."""
        return tuple(self.counts.get(label, 0) for label in range(len(self.class_names)))


def read_external(paths: Sequence[str], folder: str) -> ExternalRecords:
    """Read every record once.

    Args:
      paths: the files.
      folder: what to call them in messages.

    Raises:
      DataError: a file is damaged or compressed, or a record lacks a feature.
    """
    names: dict[int, str] = {}
    counts: Counter[int] = Counter()
    for path in paths:
        for label, text in _labels(path):
            names.setdefault(label, text or str(label))
            counts[label] += 1
    if not counts:
        raise DataError(f'{folder}: the files hold no records')
    class_names = tuple(names.get(label, str(label)) for label in range(max(names) + 1))
    return ExternalRecords(class_names, counts, tuple(paths), folder)


def _labels(path: str) -> Iterator[tuple[int, str]]:
    """Read label and class name of each record of a file."""
    starts, problem = walk(path)
    if problem:
        raise DataError(f'{path}: {problem}')
    for number, record in enumerate(read_records(path, starts)):
        place = f'{path}: record {number} at byte {starts[number]}'
        if record is None:
            raise DataError(f'{place}: its checksum is wrong')
        yield _label(record, place)


def _label(record: bytes, place: str) -> tuple[int, str]:
    """Read label and class name of one record, '' where it has none."""
    try:
        label, text, _ = read_example(record)
    except ValueError as error:
        raise DataError(f'{place}: {error}') from None
    if not 0 <= label < MAX_CLASSES:
        raise DataError(f'{place}: has the label {label}')
    return label, text
