"""Find the images that a table names, below one folder, however exactly it names them."""

from __future__ import annotations

import errno
import functools
import os
import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

from library import files
from library.preparation.formats import IMAGE_ENDINGS
from library.preparation.sources.entries import look
from library.records.listing import Unusable

# What absolute paths of Windows begin with.
_DRIVE = re.compile(r'[A-Za-z]:[\\/]')
# Up to the path of a file: URL; before a drive there is one slash more.
_LOCAL_URL = re.compile(r'file://(localhost)?(/(?=[A-Za-z]:[\\/])|(?=/))', re.IGNORECASE)
# A remote file's size takes tens of milliseconds of waiting.
REMOTE_LOOKS_AT_ONCE = 32
MISSING = os.strerror(errno.ENOENT).lower()


class BadRow(Exception):
    """A row that the file must not have; the message says why."""


class TableImages:
    """The images below one folder.

    Attributes:
      root: the folder that paths start from.
      moved_from: folders of another machine that were taken for it, each with the first path.
    """

    def __init__(self, root: str, follow_symlinks: bool):
        """Keep the folder, and whether links among the images are followed."""
        self.root = root
        self._follow_symlinks = follow_symlinks
        self._is_remote = files.is_remote(root)
        self._place = _normal(root if self._is_remote else os.path.abspath(root))
        self.moved_from: dict[str, str] = {}
        self._listed: dict[str, dict[str, list[str]]] = {}
        self._within: dict[str, TableImages] = {}
        self._real_root = '' if self._is_remote else os.path.realpath(root)
        self._outside: dict[str, bool] = {}

    def below(self, folder: str) -> TableImages:
        """Return the images below another folder, relative to the root, by the same rules."""
        if folder not in self._within:
            self._within[folder] = TableImages(self._path(folder), self._follow_symlinks)
        return self._within[folder]

    def filename(self, path: str) -> str:
        """Return the path below the root, with '/' and without './' and '../'.

        A backslash separates, as on Windows, unless it is part of a file's name. A URL of a local
        file, file://, is its path.

        Raises:
          BadRow: it leads out of the root, or is a URL.
        """
        if local := _LOCAL_URL.match(path):
            path = unquote(path[local.end() :])
        if files.is_remote(path) and path.split('://')[0] not in files.SCHEMES:
            raise BadRow(f'{path!r} is a URL, not a file (download the images first)')
        if (moved := self._moved(path)) is not None:
            return moved
        name = self._below(path)
        if '\\' not in name or (not self._is_remote and os.path.lexists(self._path(name))):
            return name
        return self._below(name.replace('\\', '/'))

    def _moved(self, path: str) -> str | None:
        """Return the name below the root of what an absolute path of elsewhere means; or None.

        It is the longest end of the path that is there.
        """
        is_of_windows = _DRIVE.match(path) is not None
        plain = path.replace('\\', '/') if is_of_windows else path
        if not (is_of_windows or plain.startswith('/')):
            return None
        if _is_below(_normal(plain), self._place) or os.path.lexists(path):
            return None
        for place in self.moved_from:
            if plain.startswith(f'{place}/') and self._is_there(plain[len(place) + 1 :]):
                return plain[len(place) + 1 :]
        parts = plain.split('/')
        for count in range(1, len(parts)):
            name = '/'.join(parts[count:])
            if '..' not in parts and self._is_there(name):
                self.moved_from['/'.join(parts[:count])] = path
                return name
        return None

    def check_moves(self) -> None:
        """Raise BadRow where a path is there only without a folder that others have.

        The file of its name may be any other.
        """
        for place, path in self.moved_from.items():
            for above in self.moved_from:
                if place != above and _is_below(place, above):
                    raise BadRow(
                        f'{path!r} is not in {self.root}, which {above or "/"} is taken for '
                        f'(only {path[len(place) + 1 :]} is there)'
                    )

    def _is_there(self, name: str) -> bool:
        return bool(name) and bool(self.matches(name))

    def _below(self, path: str) -> str:
        is_absolute = files.is_remote(path) or path.startswith('/')
        full = _normal(path if is_absolute else files.join(self._place, path))
        if _is_below(full, self._place):
            return full[len(self._place.rstrip('/')) + 1 :] or '.'
        if is_absolute:
            hint = 'give a folder above all images as --image_root'
            raise BadRow(f'{path!r} lies outside {self._place} ({hint})')
        raise BadRow(f'{path!r} leads out of {self._place}, where paths start (--image_root)')

    def matches(self, filename: str) -> list[str]:
        """Return the files that a name below the root may mean; itself, where there is such a file.

        The name may lack an ending of images, or have letters in another case.
        """
        folder, name = posixpath.split(filename)
        listed = self._names(folder)
        if name in listed['']:
            return [filename]
        names = listed.get(name.casefold(), [])
        exact = [each for each in names if each.startswith(name)]
        return [posixpath.join(folder, each) for each in exact or names]

    def folders_with(self, filename: str) -> list[str]:
        """Return the folders in the root, and perhaps the one above, that hold such a file.

        The one above counts where the path begins with the root's own name.
        """
        own_name = posixpath.basename(self._place)
        above = ['..'] if own_name and filename.startswith(f'{own_name}/') else []
        return [each for each in (*above, *self._folders) if self.below(each).matches(filename)]

    @functools.cached_property
    def _folders(self) -> list[str]:
        return [each for each in self._names('')[''] if files.is_folder(self._path(each))]

    def _names(self, folder: str) -> dict[str, list[str]]:
        """List a folder once; each name is under '', its folded form, and that of an image's stem.

        A folder that is not there, or leads out of the root by a link, has no names.
        """
        if folder not in self._listed:
            names: list[str] = []
            if not self._leaves(folder):
                try:
                    names = files.names_in(self._path(folder))
                except OSError as error:
                    if files.is_exhausted(error):
                        raise
            by_form: dict[str, list[str]] = {'': names}
            for name in names:
                stem, ending = os.path.splitext(name)
                forms = {name.casefold()}
                if ending.lower() in IMAGE_ENDINGS:
                    forms.add(stem.casefold())
                for form in forms - {''}:
                    by_form.setdefault(form, []).append(name)
            self._listed[folder] = by_form
        return self._listed[folder]

    def contents(
        self, numbers: Sequence[int], filenames: Sequence[str]
    ) -> list[tuple[str | Unusable, int]]:
        """Return the path and the size of each row's image, or why it has none; open none."""
        refused = self._refused(set(filenames))

        def content(number: int, filename: str) -> tuple[str | Unusable, int]:
            reason = refused.get(filename)
            if reason is None:
                entry = look(self._path(filename), self._follow_symlinks)
                if entry.kind == 'image':
                    return entry.path, entry.size
                reason = entry.reason
            return Unusable(f'row {number}: {reason}'), 0

        if not self._is_remote:
            return list(map(content, numbers, filenames))
        with ThreadPoolExecutor(REMOTE_LOOKS_AT_ONCE) as pool:
            return list(pool.map(content, numbers, filenames))

    def _refused(self, filenames: Collection[str]) -> dict[str, str]:
        """Say why names must not even be looked at; each of their folders is resolved once."""
        folders = {posixpath.dirname(name) for name in filenames}
        if self._is_remote:
            there = {
                posixpath.join(folder, name)
                for folder in folders
                for name in self._names(folder)['']
            }
            return dict.fromkeys(set(filenames) - there, MISSING)
        outside = {each for each in folders if self._leaves(each)}
        reason = 'behind a symbolic link to elsewhere (see --follow_symlinks)'
        return {name: reason for name in filenames if posixpath.dirname(name) in outside}

    def _leaves(self, folder: str) -> bool:
        """Return True for a local folder that a link, which is not to be followed, leads out of."""
        if self._is_remote or self._follow_symlinks:
            return False
        if folder not in self._outside:
            place = os.path.realpath(self._path(folder))
            self._outside[folder] = not _is_below(place, self._real_root)
        return self._outside[folder]

    def _path(self, filename: str) -> str:
        return files.join(self.root, filename) if filename else self.root


def endings_added(filenames: Mapping[str, str]) -> Iterator[str]:
    """Say in a line what was added to, or changed in, the names of a table.

    Args:
      filenames: name as the table has it, to that of the file.
    """
    added: Counter[str] = Counter()
    for name, found in filenames.items():
        if found != name:
            added[found[len(name) :] if found.startswith(name) else ''] += 1
    recased = added.pop('', 0)
    if added:
        shown = ', '.join(f'{ending} ({count})' for ending, count in sorted(added.items()))
        yield f'paths without an ending: added {shown}'
    if recased:
        yield f'paths in another case than the files: {recased}'


def _is_below(path: str, folder: str) -> bool:
    """Return True for the folder itself too."""
    return f'{path}/'.startswith(f'{folder.rstrip("/")}/')


def _normal(path: str) -> str:
    """Return the path without './', '../' and '//', which never leaves the scheme."""
    scheme, mark, rest = path.partition('://') if files.is_remote(path) else ('', '', path)
    return f'{scheme}{mark}{posixpath.normpath(rest)}'
