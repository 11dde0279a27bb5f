"""Read JSON lines: an object for each image, with its path, its class and perhaps its split."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from library import files
from library.errors import DataError
from library.preparation.sources.csv_file import described_parts, read_table
from library.preparation.sources.csv_table import JSON_ENDINGS, utf8_text
from library.preparation.sources.several_labels import cell_of
from library.preparation.sources.table import Table
from library.preparation.sources.table_rows import NumberedRow

METADATA = 'metadata.jsonl'


class JsonLines(Table):
    """Read a .jsonl or .ndjson file like a table: the keys are the columns.

    A folder with a metadata.jsonl that has the key file_name is read by it.
    """

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return True for a file called .jsonl or .ndjson, or a folder with a metadata.jsonl."""
        if files.is_folder(dataset_dir):
            return bool(described_parts(dataset_dir, METADATA))
        return dataset_dir.lower().endswith(JSON_ENDINGS)

    def parts(self) -> list[tuple[str, str]]:
        """Return the file, or the metadata in a folder or in its splits."""
        return described_parts(self.dataset_dir, METADATA) or [('', self.dataset_dir)]

    def table(self, path: str) -> tuple[list[str], Iterator[NumberedRow]]:
        """Return all keys in the order in which they are met, and the values below them."""
        return keys_and_rows(path, read_table(path, 'JSON lines'))


def keys_and_rows(path: str, data: bytes) -> tuple[list[str], Iterator[NumberedRow]]:
    """Return all keys of a file in the order in which they are met, and the values below them.

    Raises:
      ConfigError: the text is UTF-16.
      DataError: it is no UTF-8, a line is no object, or there are none.
    """
    objects = list(_objects(path, utf8_text(path, data)))
    if not objects:
        raise DataError(f'{path}: the file is empty')
    header = list(dict.fromkeys(key for _, each in objects for key in each))
    rows = ((number, [cell_of(each.get(key)) for key in header]) for number, each in objects)
    return [key.strip() for key in header], rows


def _objects(path: str, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (number, object) of each line that is not blank."""
    for number, line in enumerate(text.split('\n'), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise DataError(f'{path}: row {number}: not a JSON object')
        yield number, value
