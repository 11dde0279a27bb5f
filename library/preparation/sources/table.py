"""Turn a table into labelled images: a row for each, with its path, its class and perhaps more."""

from __future__ import annotations

import abc
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from library import files
from library.errors import ConfigError, DataError
from library.preparation.labels import sorted_names, told_spellings
from library.preparation.sources.columns import (
    PATH_COLUMNS,
    Columns,
    find_columns,
    guessed,
    known_column,
)
from library.preparation.sources.entries import look
from library.preparation.sources.refusals import shown
from library.preparation.sources.several_labels import check_no_lists
from library.preparation.sources.source import Source
from library.preparation.sources.split_words import split_word, splits_of_paths
from library.preparation.sources.table_images import BadRow, TableImages, endings_added
from library.preparation.sources.table_rows import NumberedRow, TableRow, parsed_rows, raise_bad
from library.records.listing import (
    SPLIT_NAMES,
    LabelledImage,
    Listing,
    Remark,
    Unusable,
    usual_order,
)


class Table(Source):
    """Read a file with a row for each image; it and the images may be remote.

    A row without an image, a class or (where there is such a column) a split is an error; a row
    whose image is missing or must not be read is listed as unusable.
    """

    own_flags = ('image_root', 'path_column', 'label_column', 'split_column', 'group_column')

    @abc.abstractmethod
    def table(self, path: str) -> tuple[list[str], Iterator[NumberedRow]]:
        """Return the columns of the file, and its rows; raises as `listing`."""

    def listing(self) -> Listing:
        """Return the images in the order of the rows, and their classes in the order of the names.

        Where all classes are whole numbers they are in the order of the numbers.

        Raises:
          ConfigError: there is no such file, folder or column, or several columns may be meant.
          DataError: the file holds no rows, or one that cannot be meant, or splits write a class in
            two ways; the message names it.
        """
        listing = self._together([(part, self._listing(path)) for part, path in self.parts()])
        classes = ((listing.class_names[each.label], each.split) for each in listing.images)
        told = [
            Remark(f'{listing.folder}: {text}') for text in told_spellings(listing.folder, classes)
        ]
        return replace(listing, remarks=(*listing.remarks, *told))

    def _together(self, listings: Sequence[tuple[str, Listing]]) -> Listing:
        """Return the one listing, or one of all splits."""
        if len(listings) == 1:
            return listings[0][1]
        class_names = sorted_names({each for _, one in listings for each in one.class_names})
        label_of = {name: label for label, name in enumerate(class_names)}
        images = (
            replace(
                image,
                filename=f'{part}/{image.filename}',
                label=label_of[one.class_names[image.label]],
                split=SPLIT_NAMES[part.lower()],
            )
            for part, one in listings
            for image in one.images
        )
        remarks = tuple(remark for _, one in listings for remark in one.remarks)
        return Listing(class_names, tuple(images), folder=self.dataset_dir, remarks=remarks)

    def parts(self) -> list[tuple[str, str]]:
        """Return the tables to read, each behind the folder of its split if there are several."""
        return [('', self.dataset_dir)]

    def _listing(self, path: str) -> Listing:
        root = self.options.image_root
        if root is not None and not files.is_folder(root):
            raise ConfigError(f'{root}: no such folder (--image_root)')
        images = TableImages(root or os.path.dirname(path) or '.', self.options.follow_symlinks)
        rows, remarks = self._rows(path, images)
        if images.moved_from:
            place = shown(list(images.moved_from))
            remarks.append(f'paths of another place: {place} is taken for {images.root}')
        if root is None:
            rows, images = _nearby(rows, images, remarks)
        filenames = _located(path, rows, images)
        remarks += endings_added({row.filename: f for row, f in zip(rows, filenames, strict=True)})
        class_names = sorted_names({row.class_name for row in rows})
        label_of = {name: label for label, name in enumerate(class_names)}
        contents = images.contents([row.number for row in rows], filenames)
        if all(isinstance(content, Unusable) for content, _ in contents):
            remarks.append(
                f'none of the images is there, such as {rows[0].filename} in '
                f'{images.root} (--image_root)'
            )
        listed = [
            LabelledImage(filename, label_of[row.class_name], content, size, row.split, row.group)
            for row, filename, (content, size) in zip(rows, filenames, contents, strict=True)
        ]
        listed, told_splits = self._divided(path, listed)
        told = tuple(Remark(f'{path}: {text}') for text in (*remarks, *told_splits))
        return Listing(class_names, tuple(listed), folder=path, remarks=told)

    def _divided(
        self, path: str, images: list[LabelledImage]
    ) -> tuple[list[LabelledImage], list[str]]:
        """Take the folders of paths for splits where they are called so.

        Not where a column says more, or the table is one split by its own name, such as train.csv.

        Returns:
          The images, and lines for a person.
        """
        there = [each.filename for each in images if not isinstance(each.content, Unusable)]
        splits = splits_of_paths(there)
        is_one = self.output.name or split_word(os.path.splitext(os.path.basename(path))[0])
        if not splits.of_folder or is_one or any(each.split for each in images):
            return images, []
        others = [name for name in there if not splits.split(name)]
        names = [f'{splits.common}{each}' for each in splits.of_folder]
        if others:
            return images, [
                f'warning: the folders {shown(names)} are no splits here, as {len(others)} of '
                f'{len(there)} paths lie in others, such as {others[0]}: a column named split '
                f'tells the split of each'
            ]
        told = ', '.join(
            f'{name} is {split}'
            for name, split in zip(names, splits.of_folder.values(), strict=True)
        )
        # Of what is not there a split's report has to tell.
        least = usual_order(splits.of_folder.values())[0]
        return [replace(each, split=splits.split(each.filename) or least) for each in images], [
            f'splits by the folders in the paths: {told}'
        ]

    def _rows(self, path: str, images: TableImages) -> tuple[list[TableRow], list[str]]:
        """Read all rows, and what is to be said of the columns."""
        header, lines = self.table(path)
        rows = list(lines)
        columns = self._without_header(path, header, images)
        if columns:
            rows.insert(0, (1, header))
            path_at, label_at = columns.path + 1, columns.labels[0] + 1
            remarks = [f'no header: paths in column {path_at}, classes in column {label_at}']
        else:
            group = self.options.group_column
            columns = find_columns(path, header, rows, self.options, group)
            remarks = list(guessed(header, columns, self.options))
        if not rows:
            raise DataError(f'{path}: no rows below the header')
        parsed = parsed_rows(path, header, rows, columns, images)
        if len(columns.labels) == 1:
            remarks += check_no_lists(path, ((row.number, row.class_name) for row in parsed))
        return parsed, remarks

    def _without_header(
        self, path: str, first: Sequence[str], images: TableImages
    ) -> Columns | None:
        """Return the columns of a table whose first row names an image; None if there is a header.

        The path is in the first column, or in the second of two.
        """
        options = self.options
        if options.path_column or options.label_column or len(first) < 2:
            return None
        if known_column(path, first, PATH_COLUMNS, 'path_column') is not None:
            return None
        for column in (0, 1) if len(first) == 2 else (0,):
            try:
                found = images.matches(images.filename(first[column])) if first[column] else []
            except BadRow:
                continue
            if any(look(files.join(images.root, each), True).kind == 'image' for each in found):
                return Columns(column, (1 - column,))
        return None


def _nearby(
    rows: list[TableRow], images: TableImages, remarks: list[str]
) -> tuple[list[TableRow], TableImages]:
    """Find the folders nearby that have the images, where the table's own has none.

    Returns:
      The rows, with the folders in their paths where there are several; and where paths start.
    """
    if any(images.matches(row.filename) for row in rows):
        return rows, images
    found = [images.folders_with(row.filename) for row in rows]
    folders = {each[0] for each in found if len(each) == 1}
    if len(folders) == 1 and len(found[0]) == 1:
        images = images.below(folders.pop())
        remarks.append(f'paths start from {images.root}, where the images are (--image_root)')
    elif folders and '..' not in folders:
        places = shown(sorted(folders))
        remarks.append(f'paths start from {places} in {images.root}, where the images are')
        rows = [
            row._replace(filename=f'{each[0]}/{row.filename}') if each else row
            for row, each in zip(rows, found, strict=True)
        ]
        several = [(row, each) for row, each in zip(rows, found, strict=True) if len(each) > 1]
        if several:
            row, each = several[0]
            raise DataError(f'row {row.number}: the image may be in {shown(each)} (--image_root)')
    return rows, images


def _located(path: str, rows: Sequence[TableRow], images: TableImages) -> list[str]:
    """Return the name of each row's file, which is the table's own where there is no such file."""
    filenames, bad = [], []
    for row in rows:
        found = images.matches(row.filename) or [row.filename]
        if len(found) > 1:
            names = ' or '.join(map(repr, found[:5]))
            bad.append(f'row {row.number}: {row.filename!r} may be {names}: write its ending')
        filenames.append(found[0])
    raise_bad(path, bad)
    return filenames
