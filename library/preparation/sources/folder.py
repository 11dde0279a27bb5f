"""Read a folder per class; inside a class, images may lie in folders of any depth.

The classes may lie below folders of splits: DIR/{train,validation,test}/CLASS/IMAGE.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from library import files
from library.errors import ConfigError, DataError
from library.preparation.formats import IMAGE_ENDINGS
from library.preparation.output import wrote
from library.preparation.sources.entries import Entry, look
from library.preparation.sources.source import Source
from library.records.listing import SPLIT_NAMES, LabelledImage, Listing, Unusable


class Folder(Source):
    """Read images in a folder for each class, or for each split and class."""

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return True for any folder."""
        return files.is_folder(dataset_dir)

    def listing(self) -> Listing:
        """Return the images below DATASET_DIR/CLASS/, or below DATASET_DIR/SPLIT/CLASS/.

        Classes are in the order of their names. A symbolic link is listed as unusable, unless
        they are followed.

        Raises:
          ConfigError: there is no such folder.
          DataError: it holds no class folder, or a class without any image file.
        """
        root = self.dataset_dir
        if not files.is_folder(root):
            raise ConfigError(f'{root}: no such folder (--dataset_dir)')
        splits = self._split_folders()
        found: list[tuple[str, str, str, Entry]] = []  # split, class, filename, entry
        ignored = self._beside(splits) if splits else []
        for folder, split in splits.items() or [('', '')]:
            self._list_classes(folder, split, found, ignored)
        if not found:
            raise DataError(f'{root}: no class folders (expected {root}/CLASS/IMAGE.jpg)')
        class_names = sorted({class_name for _, class_name, _, _ in found})
        labels = {name: label for label, name in enumerate(class_names)}
        images = [
            LabelledImage(
                filename,
                labels[class_name],
                entry.path if entry.kind == 'image' else Unusable(entry.kind),
                entry.size,
                split,
            )
            for split, class_name, filename, entry in found
        ]
        return Listing(tuple(class_names), tuple(images), tuple(ignored), root)

    def _split_folders(self) -> dict[str, str]:
        """Map folders to splits if train/ exists and all are named after splits; otherwise {}.

        Raises:
          DataError: such a folder holds no class folders, or two stand for one split.
        """
        root = self.dataset_dir
        folders = [name for name in files.names_in(root) if self._is_folder(root, name)]
        splits = {name: SPLIT_NAMES.get(name.lower(), '') for name in folders}
        for name in folders:
            # What a conversion to here made before it was killed: an empty test/ of --splits, or an
            # empty validation/ beside val/.
            path = files.join(root, name)
            twice = list(splits.values()).count(name) > 1
            empty = not _names_in(path)
            if (self._is_output(path) and (empty or not splits[name])) or (twice and empty):
                del splits[name]
        if 'train' not in splits.values():
            return {}
        others = [name for name, split in splits.items() if not split]
        if others:
            divided = [name for name, split in splits.items() if split and self._is_divided(name)]
            if len(divided) < 2:
                return {}
            raise DataError(
                f'{root}: holds the splits {", ".join(divided)}, and beside them {others[0]}, '
                f'which is not a split; move it away'
            )
        if len(set(splits.values())) < len(splits):
            raise DataError(f'{root}: two folders of one split among {", ".join(splits)}')
        for name in splits:
            if not self._is_divided(name):
                path = files.join(root, name)
                raise DataError(
                    f'{path}: is named after a split, but holds no class folders '
                    f'(expected {path}/CLASS/IMAGE.jpg)'
                )
        return splits

    def _is_divided(self, name: str) -> bool:
        """Return True if a folder of the root holds folders, which are classes then."""
        path = files.join(self.dataset_dir, name)
        return any(self._is_folder(path, each) for each in _names_in(path))

    def _beside(self, splits: dict[str, str]) -> list[str]:
        """Return what lies beside the folders of splits, except this program's own folders."""
        root = self.dataset_dir
        return [
            self._reason_or_name(files.join(root, name), name)
            for name in files.names_in(root)
            if name not in splits
            and not self._is_plain_folder(root, name)
            and not wrote(files.join(root, name))
        ]

    def _reason_or_name(self, path: str, filename: str) -> str:
        """Name what is ignored, with the reason where it might be a folder of images (a link)."""
        kind = look(path, self.options.follow_symlinks).kind
        return filename if kind in ('image', 'folder') else f'{filename}: {kind}'

    def _is_plain_folder(self, folder: str, name: str) -> bool:
        path = files.join(folder, name)
        return name[0] != '.' and look(path, self.options.follow_symlinks).kind == 'folder'

    def _is_folder(self, folder: str, name: str) -> bool:
        path = files.join(folder, name)
        if not self._is_plain_folder(folder, name):
            return False
        # A folder that only this program wrote into is no part of the data set.
        names = _names_in(path)
        return not names or not all(wrote(files.join(path, each)) for each in names)

    def _list_classes(
        self,
        folder: str,
        split: str,
        found: list[tuple[str, str, str, Entry]],
        ignored: list[str],
    ) -> None:
        """Add what lies in the class folders of the root, or of one split's folder."""
        root = self.dataset_dir
        top = files.join(root, folder) if folder else root
        above = frozenset([files.identity(root), files.identity(top)])
        for name in files.names_in(top):
            filename = f'{folder}/{name}' if folder else name
            path = files.join(top, name)
            if not self._is_plain_folder(top, name):
                if not wrote(path):
                    ignored.append(self._reason_or_name(path, filename))
                continue
            inside = list(self._walk(filename, above))
            ignored += [each for each, entry in inside if entry.kind == 'ignored']
            images = [(each, entry) for each, entry in inside if entry.kind != 'ignored']
            if not images:
                if self._is_output(path) or not self._is_folder(top, name):
                    continue
                raise DataError(f'{path}: the class folder holds no images')
            if '\n' in name:
                raise DataError(f'{top}: the class name {name!r} holds a line break')
            found += [(split, name, each, entry) for each, entry in images]

    def _walk(self, relative: str, above: frozenset[object]) -> Iterator[tuple[str, Entry]]:
        """Yield (name below the root, entry) of all files in a folder, sorted within it."""
        folder = files.join(self.dataset_dir, relative)
        identity = files.identity(folder)
        if identity in above:
            yield relative, Entry(folder, 'symbolic link to a folder above it')
            return
        above |= {identity}
        try:
            names = files.names_in(folder)
        except OSError as error:
            if files.is_exhausted(error):
                raise
            yield relative, Entry(folder, (error.strerror or str(error)).lower())
            return
        for name in names:
            entry = look(files.join(folder, name), self.options.follow_symlinks)
            filename = f'{relative}/{name}'
            is_image_name = os.path.splitext(name)[1].lower() in IMAGE_ENDINGS
            if entry.kind == 'image' and wrote(entry.path):
                continue
            if name.startswith('.'):
                yield filename, Entry(entry.path, 'ignored')
            elif entry.kind == 'folder' and not is_image_name:
                yield from self._walk(filename, above)
            elif entry.kind == 'folder':
                yield filename, Entry(entry.path, 'a folder, not an image')
            elif not is_image_name:
                yield filename, Entry(entry.path, 'ignored')
            else:
                yield filename, entry

    def _is_output(self, folder: str) -> bool:
        """Return True if records go, or will go, into this folder or below it."""
        return any(
            f'{_place(other)}/'.startswith(f'{_place(folder)}/') for other in self.output.folders
        )


def _names_in(folder: str) -> list[str]:
    """Return the names in a folder, [] where it may not be read: listing it says so later."""
    try:
        return files.names_in(folder)
    except OSError as error:
        if files.is_exhausted(error):
            raise
        return []


def _place(folder: str) -> str:
    """Resolve a path to compare with others; the folder need not exist yet."""
    return files.real_path(folder.rstrip('/') or folder)
