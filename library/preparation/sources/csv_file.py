"""Read a CSV file: a row for each image, with its path, its class and perhaps its split."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from library import files
from library.errors import ConfigError, DataError
from library.preparation.labels import sorted_names
from library.preparation.options import SourceOptions
from library.preparation.sources.csv_table import header_and_rows
from library.preparation.sources.entries import look
from library.preparation.sources.source import Source
from library.records.listing import SPLIT_NAMES, LabelledImage, Listing, Unusable, is_split_name

# A remote file's size takes tens of milliseconds of waiting.
REMOTE_LOOKS_AT_ONCE = 32


class CsvFile(Source):
    """Read a CSV file with a header; it and the images may be remote.

    Delimited by commas, semicolons or tabs. Spaces around cells do not count, and neither do blank
    rows. A row without an image, a class or (where there is such a column) a split is an error; a
    row whose image is missing or must not be read is listed as unusable.
    """

    own_flags = ('image_root', 'path_column', 'label_column', 'split_column', 'group_column')

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return True for a file whose name ends in .csv."""
        return dataset_dir.lower().endswith('.csv') and not files.is_folder(dataset_dir)

    def listing(self) -> Listing:
        """Return the images in the order of the rows, and their classes in the order of the names.

        Where all classes are whole numbers they are in the order of the numbers.

        Raises:
          ConfigError: there is no such file, folder or column.
          DataError: the file holds no rows, or one that cannot be meant; the message names it.
        """
        path = self.dataset_dir
        root = self.options.image_root
        if root is not None and not files.is_folder(root):
            raise ConfigError(f'{root}: no such folder (--image_root)')
        images = _Images(root or os.path.dirname(path) or '.', self.options.follow_symlinks)
        rows = _read_rows(path, self.options, images)
        class_names = sorted_names({row.class_name for row in rows})
        label_of = {name: label for label, name in enumerate(class_names)}
        contents = images.contents(rows)
        listed = (
            LabelledImage(
                row.filename, label_of[row.class_name], content, size, row.split, row.group
            )
            for row, (content, size) in zip(rows, contents, strict=True)
        )
        return Listing(class_names, tuple(listed), folder=path)


class _Row(NamedTuple):
    """One image as the file gives it; `number` is the line that the row starts in."""

    number: int
    filename: str
    class_name: str
    split: str
    group: str


class _Columns(NamedTuple):
    """Which column holds what; None for what the file does not hold."""

    path: int
    class_name: int
    split: int | None
    group: int | None


class _BadRow(Exception):
    """A row that the file must not have; the message says why."""


class _Images:
    """The images below one folder."""

    def __init__(self, root: str, follow_symlinks: bool):
        self._root = root
        self._follow_symlinks = follow_symlinks
        self._is_remote = files.is_remote(root)
        self._place = _normal(root if self._is_remote else os.path.abspath(root))

    def filename(self, path: str) -> str:
        """Return the path below the root, with '/' and without './' and '../'.

        A backslash separates, as on Windows, unless it is part of a file's name.
        """
        if files.is_remote(path) and path.split('://')[0] not in files.SCHEMES:
            raise _BadRow(f'{path!r} is a URL, not a file (download the images first)')
        name = self._below(path)
        if '\\' not in name or (not self._is_remote and os.path.lexists(self._path(name))):
            return name
        return self._below(name.replace('\\', '/'))

    def _below(self, path: str) -> str:
        is_absolute = files.is_remote(path) or path.startswith('/')
        full = _normal(path if is_absolute else files.join(self._place, path))
        if _is_below(full, self._place):
            return full[len(self._place.rstrip('/')) + 1 :] or '.'
        if is_absolute:
            hint = 'give a folder above all images as --image_root'
            raise _BadRow(f'{path!r} lies outside {self._place} ({hint})')
        raise _BadRow(f'{path!r} leads out of {self._place}, where paths start (--image_root)')

    def contents(self, rows: Collection[_Row]) -> list[tuple[str | Unusable, int]]:
        """Return the path and the size of each row's image, or why it has none; open none."""
        refused = self._refused({row.filename for row in rows})

        def content(row: _Row) -> tuple[str | Unusable, int]:
            reason = refused.get(row.filename)
            if reason is None:
                entry = look(self._path(row.filename), self._follow_symlinks)
                if entry.kind == 'image':
                    return entry.path, entry.size
                reason = entry.reason
            return Unusable(f'row {row.number}: {reason}'), 0

        if not self._is_remote:
            return [content(row) for row in rows]
        with ThreadPoolExecutor(REMOTE_LOOKS_AT_ONCE) as pool:
            return list(pool.map(content, rows))

    def _refused(self, filenames: Collection[str]) -> dict[str, str]:
        """Say why names must not even be looked at; each of their folders is resolved once."""
        folders = {posixpath.dirname(name) for name in filenames}
        if self._is_remote:
            there = {
                posixpath.join(folder, name)
                for folder in folders
                for name in files.names_in(self._path(folder))
            }
            return dict.fromkeys(set(filenames) - there, os.strerror(errno.ENOENT).lower())
        if self._follow_symlinks:
            return {}
        root = os.path.realpath(self._root)
        inside = {each for each in folders if _is_below(os.path.realpath(self._path(each)), root)}
        reason = 'behind a symbolic link to elsewhere (see --follow_symlinks)'
        return {name: reason for name in filenames if posixpath.dirname(name) not in inside}

    def _path(self, filename: str) -> str:
        return files.join(self._root, filename) if filename else self._root


def _is_below(path: str, folder: str) -> bool:
    """Return True for the folder itself too."""
    return f'{path}/'.startswith(f'{folder.rstrip("/")}/')


def _normal(path: str) -> str:
    """Return the path without './', '../' and '//', which never leaves the scheme."""
    scheme, mark, rest = path.partition('://') if files.is_remote(path) else ('', '', path)
    return f'{scheme}{mark}{posixpath.normpath(rest)}'


def _read_rows(path: str, options: SourceOptions, images: _Images) -> list[_Row]:
    """Read all rows below the header; raise for the first bad one, once all are counted."""
    header, lines = header_and_rows(path, _read(path), [options.path_column])
    split = options.split_column or ('split' if 'split' in header else None)
    columns = _Columns(
        _column(path, header, options.path_column, 'path_column'),
        _column(path, header, options.label_column, 'label_column'),
        _column(path, header, split, 'split_column') if split else None,
        _column(path, header, options.group_column, 'group_column')
        if options.group_column
        else None,
    )
    rows, bad = [], []
    for number, cells in lines:
        try:
            rows.append(_row(number, cells, len(header), columns, images))
        except _BadRow as error:
            bad.append(f'row {number}: {error}')
    if bad:
        count = f' (the first of {len(bad)} bad rows)' if len(bad) > 1 else ''
        raise DataError(f'{path}: {bad[0]}{count}')
    if not rows:
        raise DataError(f'{path}: no rows below the header')
    return rows


def _row(number: int, cells: list[str], width: int, columns: _Columns, images: _Images) -> _Row:
    """Read one row of `width` columns."""
    if any(cell.strip() for cell in cells[width:]):
        raise _BadRow(f'{len(cells)} cells below {width} columns (a delimiter needs quotes)')
    cells += [''] * (width - len(cells))
    path, class_name = cells[columns.path].strip(), cells[columns.class_name].strip()
    if not path:
        raise _BadRow('no path')
    if not class_name:
        raise _BadRow('no label')
    if class_name.splitlines() != [class_name]:
        raise _BadRow(f'the class name {class_name!r} holds a line break')
    split = '' if columns.split is None else _split(cells[columns.split].strip())
    group = '' if columns.group is None else cells[columns.group].strip()
    if columns.group is not None and not group:
        raise _BadRow('no group')
    return _Row(number, images.filename(path), class_name, split, group)


def _split(name: str) -> str:
    if not name:
        raise _BadRow('no split')
    if not is_split_name(name):
        raise _BadRow(f'{name!r} cannot be the name of a split')
    return SPLIT_NAMES.get(name.lower(), name)


def _read(path: str) -> bytes:
    """Read the whole file, which takes less memory than the images that it lists."""
    if not files.exists(path):
        raise ConfigError(f'{path}: no such file (--dataset_dir)')
    kind = look(path, follow_symlinks=True).kind
    if kind != 'image':
        raise ConfigError(f'{path}: {kind}, not a CSV file (--dataset_dir)')
    return files.read_bytes(path)


def _column(path: str, header: list[str], name: str, flag: str) -> int:
    if name not in header:
        columns = ', '.join(repr(each[:40]) for each in header[:12])
        raise ConfigError(f'{path}: no column {name!r} (--{flag}); its columns are {columns}')
    if header.count(name) > 1:
        raise ConfigError(f'{path}: {header.count(name)} columns are named {name!r} (--{flag})')
    return header.index(name)
