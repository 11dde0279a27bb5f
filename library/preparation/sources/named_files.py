"""Read a folder of images whose classes stand in the names of the files, such as cat.0.jpg."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from library import files
from library.errors import ConfigError, DataError
from library.preparation.formats import IMAGE_ENDINGS
from library.preparation.output import wrote
from library.preparation.sources.entries import Entry, look
from library.preparation.sources.source import Source
from library.records.listing import SPLIT_NAMES, LabelledImage, Listing, Unusable


class NamedFiles(Source):
    """Read the images below a folder, each with the class that a regular expression finds.

    Folders that are named after splits are splits.
    """

    own_flags = ('label_from_name',)

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return False: --label_from_name asks for this source."""
        return False

    def listing(self) -> Listing:
        r"""Return the images below the folder, and their classes in the order of the names.

        The class is the first group of --label_from_name that takes part in the match, otherwise
        the match; it is searched in each path below the folder, without a split's name.

        Raises:
          ConfigError: there is no such folder, or the expression is none, or matches no path.
          DataError: there are no images, or the expression does not match some of them.
        """
        root, pattern = self.dataset_dir, self.options.label_from_name
        if pattern is None:
            raise ConfigError('--label_from_name is missing (see --help)')
        try:
            expression = re.compile(pattern)
        except re.error as error:
            raise ConfigError(f'--label_from_name {pattern}: {error}') from None
        if not files.is_folder(root):
            raise ConfigError(f'{root}: no such folder (--dataset_dir)')
        ignored: list[str] = []
        found = list(self._walk('', frozenset(), ignored))
        if not found:
            raise DataError(f'{root}: holds no images')
        classes = [_class_of(expression, _without_split(name)) for name, _ in found]
        unnamed = [name for (name, _), each in zip(found, classes, strict=True) if not each]
        if unnamed:
            kind = ConfigError if len(unnamed) == len(found) else DataError
            raise kind(
                f'{root}: --label_from_name {pattern} does not match {len(unnamed)} of '
                f'{len(found)} names, such as {unnamed[0]}'
            )
        class_names = sorted(set(classes))
        labels = {name: label for label, name in enumerate(class_names)}
        images = [
            LabelledImage(
                name,
                labels[class_name],
                entry.path if entry.kind == 'image' else Unusable(entry.reason),
                entry.size,
                _split_of(name),
            )
            for (name, entry), class_name in zip(found, classes, strict=True)
        ]
        return Listing(tuple(class_names), tuple(images), tuple(ignored), root)

    def _walk(
        self, relative: str, above: frozenset[object], ignored: list[str]
    ) -> Iterator[tuple[str, Entry]]:
        """Yield (name below the root, entry) of all images, sorted within each folder."""
        folder = files.join(self.dataset_dir, relative) if relative else self.dataset_dir
        identity = files.identity(folder)
        if identity in above:
            return
        for name in files.names_in(folder):
            entry = look(files.join(folder, name), self.options.follow_symlinks)
            filename = f'{relative}/{name}' if relative else name
            is_image_name = os.path.splitext(name)[1].lower() in IMAGE_ENDINGS
            if name.startswith(('.', '@')) or (not is_image_name and entry.kind != 'folder'):
                if entry.kind != 'image' or not wrote(entry.path):
                    ignored.append(filename)
            elif entry.kind == 'folder':
                yield from self._walk(filename, above | {identity}, ignored)
            else:
                yield filename, entry


def _class_of(expression: re.Pattern[str], name: str) -> str:
    match = expression.search(name)
    if match is None:
        return ''
    return next((each for each in match.groups() if each), '') if match.groups() else match[0]


def _split_of(name: str) -> str:
    first, slash, _ = name.partition('/')
    return SPLIT_NAMES.get(first.lower(), '') if slash else ''


def _without_split(name: str) -> str:
    return name.partition('/')[2] if _split_of(name) else name
