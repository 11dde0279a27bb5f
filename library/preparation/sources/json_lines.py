"""Read JSON lines: an object for each image, with its path, its class and perhaps its split."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from library import files
from library.errors import DataError
from library.preparation.sources.csv_file import described_parts, read_table
from library.preparation.sources.csv_table import utf8_text
from library.preparation.sources.several_labels import cell_of
from library.preparation.sources.table import NumberedRow, Table

METADATA = 'metadata.jsonl'


class JsonLines(Table):
    """Read a .jsonl file like a table: the keys are the columns.

    A folder with a metadata.jsonl that has the key file_name is read by it.
    """

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return True for a file whose name ends in .jsonl, or a folder with a metadata.jsonl."""
        if files.is_folder(dataset_dir):
            return bool(described_parts(dataset_dir, METADATA))
        return dataset_dir.lower().endswith('.jsonl')

    def parts(self) -> list[tuple[str, str]]:
        """Return the file, or the metadata in a folder or in its splits."""
        return described_parts(self.dataset_dir, METADATA) or [('', self.dataset_dir)]

    def table(self, path: str) -> tuple[list[str], Iterator[NumberedRow]]:
        """Return all keys in the order in which they are met, and the values below them."""
        text = utf8_text(path, read_table(path, 'JSON lines'))
        objects = list(_objects(path, text))
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
