"""Read a CSV file: a row for each image, with its path, its class and perhaps its split."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from library import files
from library.errors import ConfigError
from library.preparation.sources.columns import LABEL_COLUMNS, PATH_COLUMNS
from library.preparation.sources.csv_table import CSV_ENDINGS, header_and_rows, plain_name
from library.preparation.sources.entries import look
from library.preparation.sources.table import Table
from library.preparation.sources.table_rows import NumberedRow
from library.records.listing import SPLIT_NAMES

# What the imagefolder sets of Hugging Face have beside their images.
METADATA = 'metadata.csv'
EVERY_NAME = tuple(itertools.chain(*PATH_COLUMNS, *LABEL_COLUMNS))


class CsvFile(Table):
    """Read a CSV file; it and the images may be remote.

    Delimited by commas, semicolons or tabs. Spaces around cells do not count, and neither do blank
    rows. Columns are found by their usual names; without a header, the first has the paths and the
    second the classes. A folder, or folders of splits, with a metadata.csv that has the column
    file_name are read by it.
    """

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return True for a file called .csv or .tsv, or a folder with a metadata.csv."""
        if files.is_folder(dataset_dir):
            return bool(described_parts(dataset_dir, METADATA))
        return dataset_dir.lower().endswith(CSV_ENDINGS)

    def parts(self) -> list[tuple[str, str]]:
        """Return the file, or the metadata in a folder or in its splits."""
        return described_parts(self.dataset_dir, METADATA) or [('', self.dataset_dir)]

    def table(self, path: str) -> tuple[list[str], Iterator[NumberedRow]]:
        """Return the columns of the file, and its rows."""
        options = self.options
        named = [each for each in (options.path_column, *options.label_column) if each]
        return header_and_rows(path, read_table(path, 'CSV'), named or EVERY_NAME)


def described_parts(folder: str, name: str) -> list[tuple[str, str]]:
    """Return the metadata file of a folder, or those of its splits, each behind its folder."""
    if is_described(folder, name):
        return [('', files.join(folder, name))]
    splits = [each for each in files.names_in(folder) if each.lower() in SPLIT_NAMES]
    return [
        (each, files.join(folder, each, name))
        for each in splits
        if is_described(files.join(folder, each), name)
    ]


def is_described(folder: str, name: str) -> bool:
    """Return True for a folder with a metadata file of this name for images and their labels.

    The dataset library of Hugging Face asks for the column file_name. Where no column of classes
    has a usual name, as beside captions, folders may be the classes.
    """
    path = files.join(folder, name)
    if not files.exists(path) or look(path, follow_symlinks=True).kind != 'image':
        return False
    with files.open_binary(path) as file:
        first = file.read(1 << 16).decode('utf-8-sig', 'replace').partition('\n')[0]
    names = {plain_name(word) for word in re.findall(r'[\w .-]+', first)}
    return 'filename' in names and not names.isdisjoint(itertools.chain(*LABEL_COLUMNS))


def read_table(path: str, kind: str) -> bytes:
    """Read a whole file, which takes less memory than the images that it lists.

    Raises:
      ConfigError: there is no such file.
    """
    if not files.exists(path):
        raise ConfigError(f'{path}: no such file (--dataset_dir)')
    found = look(path, follow_symlinks=True).kind
    if found != 'image':
        raise ConfigError(f'{path}: {found}, not a {kind} file (--dataset_dir)')
    return files.read_bytes(path)
