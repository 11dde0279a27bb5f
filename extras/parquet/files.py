"""Read Parquet files as Hugging Face's data sets hold them, or tables of paths in Parquet."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from library import files
from library.errors import ConfigError, DataError, ResourceError
from library.preparation.labels import sorted_names
from library.preparation.sources.columns import (
    LABEL_COLUMNS,
    PATH_COLUMNS,
    known_column,
    missing,
)
from library.preparation.sources.several_labels import BETWEEN, ONE_CLASS, cell_of
from library.preparation.sources.table import Table
from library.preparation.sources.table_rows import NumberedRow
from library.records.listing import SPLIT_NAMES, LabelledImage, Listing, Remark

ENDING = '.parquet'
# Rows that are unpacked at once.
BATCH = 256
# train-00000-of-00002.parquet is of train.
_FIRST_WORD = re.compile(r'[A-Za-z]+')


class Parquet(Table):
    """Read a .parquet file, or a folder of them, perhaps in folders such as data/ or train/.

    The images are in the files, as bytes or as a struct of bytes and path; or, in one file alone,
    paths are. The files' names, or those of their folders, give the splits. Class names that the
    data set's own library wrote into the file are used.

    Caveat: images that are in the files are held in memory.
    """

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return True for a .parquet file, or a folder that holds some and no other files."""
        if not files.is_folder(dataset_dir):
            return dataset_dir.lower().endswith(ENDING)
        return bool(_files_in(dataset_dir))

    def listing(self) -> Listing:
        """Return the images in the order of the files and rows.

        Raises:
          ConfigError: there is no such file, or no column that can be meant.
          DataError: a file is damaged, or a row has no image or class.
          ResourceError: pyarrow is not installed, or there is too little memory.
        """
        root = self.dataset_dir
        if not files.exists(root):
            raise ConfigError(f'{root}: no such file or folder (--dataset_dir)')
        parts = _files_in(root) if files.is_folder(root) else [('', root)]
        opened = [(split, path, _open(path)) for split, path in parts]
        if not opened:
            raise ConfigError(f'{root}: holds no {ENDING} files (--dataset_dir)')
        _, first, table = opened[0]
        if not _holds_images(table.schema_arrow, self._image_column(first, table)):
            if len(opened) > 1:
                raise ConfigError(f'{root}: holds paths in several files; give one')
            return super().listing()
        try:
            rows = [row for part in opened for row in self._images(*part)]
        except MemoryError:
            raise ResourceError(f'{root}: the images do not fit into memory') from None
        if not rows:
            raise DataError(f'{root}: no rows')
        names = _class_names(table, self._label_column(first, table))
        class_names = _in_order({class_name for _, class_name, _, _ in rows}, names)
        labels = {name: label for label, name in enumerate(class_names)}
        images = (
            LabelledImage(name, labels[class_name], content, len(content), split)
            for name, class_name, content, split in rows
        )
        said = f'images in {self._image_column(first, table)!r}'
        said += f', classes in {self._label_column(first, table)!r}'
        return Listing(
            class_names, tuple(images), folder=root, remarks=(Remark(f'{root}: {said}'),)
        )

    def parts(self) -> list[tuple[str, str]]:
        """Return the one file of paths."""
        root = self.dataset_dir
        return [('', _files_in(root)[0][1])] if files.is_folder(root) else [('', root)]

    def table(self, path: str) -> tuple[list[str], Iterator[NumberedRow]]:
        """Return the columns of a file of paths, and its rows."""
        table = _open(path)
        names = list(table.schema_arrow.names)
        rows = (
            (number, [cell_of(value) for value in row.values()])
            for number, row in enumerate(_rows(path, table, names), 1)
        )
        return names, rows

    def _image_column(self, path: str, table: Any) -> str:
        names = table.schema_arrow.names
        if self.options.path_column is not None:
            if self.options.path_column not in names:
                raise missing(path, names, repr(self.options.path_column), 'path_column')
            return self.options.path_column
        held = [name for name in names if _holds_images(table.schema_arrow, name)]
        if len(held) == 1:
            return str(held[0])
        found = known_column(path, held or names, PATH_COLUMNS, 'path_column')
        if found is None:
            raise missing(path, names, "'image', 'path' or 'filename'", 'path_column')
        return str((held or names)[found])

    def _label_column(self, path: str, table: Any) -> str:
        names = table.schema_arrow.names
        if len(self.options.label_column) > 1:
            raise ConfigError(f'{path}: one --label_column beside images in the file')
        for name in self.options.label_column:
            if name not in names:
                raise missing(path, names, repr(name), 'label_column')
            return name
        found = known_column(path, names, LABEL_COLUMNS, 'label_column')
        if found is None:
            raise missing(path, names, "'label', 'class' or 'category'", 'label_column')
        return str(names[found])

    def _images(self, split: str, path: str, table: Any) -> Iterator[tuple[str, str, bytes, str]]:
        """Yield (name, class, content, split) of each row of a file."""
        image, label = self._image_column(path, table), self._label_column(path, table)
        names = _class_names(table, label)
        place = path[len(self.dataset_dir) :].strip('/') or path.rpartition('/')[2]
        for number, row in enumerate(_rows(path, table, [image, label]), 1):
            value = row[image]
            content = value.get('bytes') if isinstance(value, dict) else value
            if not isinstance(content, bytes):
                raise DataError(f'{path}: row {number}: no bytes of an image in {image!r}')
            class_name = cell_of(row[label])
            if BETWEEN in class_name:
                raise DataError(f'{path}: row {number}: several classes: {ONE_CLASS}')
            if not class_name:
                raise DataError(f'{path}: row {number}: no label')
            if names and class_name.isdigit() and int(class_name) < len(names):
                class_name = names[int(class_name)]
            given = value.get('path') if isinstance(value, dict) else None
            yield f'{place}/{number:08d}{_ending(given)}', class_name, content, split


def _files_in(folder: str) -> list[tuple[str, str]]:
    """Return (split, path) of the Parquet files in a folder, or in the folders in it."""
    found = []
    for name in files.names_in(folder):
        path = files.join(folder, name)
        if name.lower().endswith(ENDING):
            found.append((_split_of(name), path))
        elif files.is_folder(path):
            found += [
                (_split_of(name) or _split_of(each), files.join(path, each))
                for each in files.names_in(path)
                if each.lower().endswith(ENDING)
            ]
    # A file that names no split would have none among others that do.
    return found if all(split for split, _ in found) else [('', path) for _, path in found]


def _split_of(name: str) -> str:
    match = _FIRST_WORD.match(name)
    return SPLIT_NAMES.get(match[0].lower(), '') if match else ''


def _open(path: str) -> Any:
    """Open a file; its schema alone is read."""
    try:
        parquet = importlib.import_module('pyarrow.parquet')
    except ImportError:
        message = f"{path}: Parquet needs pyarrow: pip install 'pyarrow<22'"
        raise ResourceError(message) from None
    try:
        # A local file is closed by pyarrow itself.
        return parquet.ParquetFile(files.open_binary(path) if files.is_remote(path) else path)
    # pyarrow has an error of its own for each kind of damage.
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DataError(f'{path}: no whole Parquet file ({_line(error)})') from None


def _rows(path: str, table: Any, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    try:
        for batch in table.iter_batches(BATCH, columns=list(columns)):
            yield from batch.to_pylist()
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, DataError) or (isinstance(error, OSError) and error.errno):
            raise
        raise DataError(f'{path}: damaged ({_line(error)})') from None


def _holds_images(schema: Any, column: str) -> bool:
    """Return True for a column of bytes, or of structs with bytes."""
    kind = str(schema.field(column).type)
    return kind in ('binary', 'large_binary') or (kind.startswith('struct<') and 'bytes:' in kind)


def _class_names(table: Any, label: str) -> list[str]:
    """Return the names that the data set's own library kept for the numbers of the labels."""
    kept = (table.schema_arrow.metadata or {}).get(b'huggingface')
    try:
        names = json.loads(kept)['info']['features'][label]['names'] if kept else []
    except (ValueError, KeyError, TypeError):
        names = []
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if is_list and len(set(names)) == len(names) else []


def _in_order(found: set[str], names: Sequence[str]) -> tuple[str, ...]:
    if found <= set(names):
        return tuple(name for name in names if name in found)
    return sorted_names(found)


def _ending(path: object) -> str:
    match = re.search(r'\.\w{1,5}$', path) if isinstance(path, str) else None
    return match[0] if match else ''


def _line(error: Exception) -> str:
    return ' '.join(str(error).split())[:200] or type(error).__name__
