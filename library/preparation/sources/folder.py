"""A folder per class; inside a class, images may lie in folders of any depth."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from library import files
from library.errors import ConfigError, DataError
from library.preparation.sources.source import LabelledFile, Listing
from library.records.manifest import Rejected

# Files of these endings, in any case, count as images: a bad one is reported as rejected. Other
# files are named as ignored.
IMAGE_ENDINGS = frozenset(
    [
        '.jpg',
        '.jpeg',
        '.jpe',
        '.jfif',
        '.png',
        '.webp',
        '.bmp',
        '.gif',
        '.tif',
        '.tiff',
        '.avif',
        '.heic',
        '.heif',
        '.jp2',
    ]
)


@dataclass(frozen=True)
class _Entry:
    """A name in a folder: 'folder', 'image', 'ignored', or why it is rejected."""

    path: str
    kind: str
    size: int = 0


def list_folder(
    dataset_dir: str,
    is_own: Callable[[str], bool],
    output_dir: str,
    follow_symlinks: bool = False,
) -> Listing:
    """Lists the images below DATASET_DIR/CLASS/.

    Args:
      dataset_dir: local or remote folder. Classes are its folders, in the order of their names.
      is_own: tells a file of this program by its name; such files are never inputs.
      output_dir: where shards are written; a folder that holds it and no image is no class.
      follow_symlinks: else each link is rejected by name.

    Raises:
      ConfigError: there is no such folder.
      DataError: it holds no class folder, or a class without any image file.
    """
    if not files.is_folder(dataset_dir):
        raise ConfigError(f'{dataset_dir}: no such folder (--dataset_dir)')
    class_names, ignored, rejected, images = [], [], [], []
    above = frozenset([_identity(dataset_dir)])
    for name in files.names_in(dataset_dir):
        path = files.join(dataset_dir, name)
        if name.startswith('.') or _look(path, follow_symlinks).kind != 'folder':
            if not is_own(name):
                ignored.append(name)
            continue
        found = list(_walk(dataset_dir, name, is_own, follow_symlinks, above))
        ignored += [filename for filename, entry in found if entry.kind == 'ignored']
        found = [(filename, entry) for filename, entry in found if entry.kind != 'ignored']
        if not found:
            if _holds(path, output_dir):
                continue
            raise DataError(f'{path}: the class folder holds no images')
        if '\n' in name:
            raise DataError(f'{dataset_dir}: the class name {name!r} holds a line break')
        for filename, entry in found:
            if entry.kind == 'image':
                images.append(LabelledFile(entry.path, filename, len(class_names), entry.size))
            else:
                rejected.append(Rejected(filename, entry.kind))
        class_names.append(name)
    if not class_names:
        raise DataError(f'{dataset_dir}: no class folders (expected {dataset_dir}/CLASS/IMAGE.jpg)')
    return Listing(tuple(class_names), tuple(images), tuple(rejected), tuple(ignored))


def _walk(
    root: str,
    relative: str,
    is_own: Callable[[str], bool],
    follow_symlinks: bool,
    above: frozenset[object],
) -> Iterator[tuple[str, _Entry]]:
    """Yields (name below root, entry) of all files below root/relative, sorted within a folder."""
    folder = files.join(root, relative)
    identity = _identity(folder)
    if identity in above:
        yield relative, _Entry(folder, 'symbolic link to a folder above it')
        return
    above |= {identity}
    try:
        names = files.names_in(folder)
    except OSError as error:
        yield relative, _Entry(folder, (error.strerror or str(error)).lower())
        return
    for name in names:
        entry = _look(files.join(folder, name), follow_symlinks)
        filename = f'{relative}/{name}'
        is_image_name = os.path.splitext(name)[1].lower() in IMAGE_ENDINGS
        if entry.kind == 'image' and is_own(name):
            continue
        if name.startswith('.'):
            yield filename, _Entry(entry.path, 'ignored')
        elif entry.kind == 'folder' and not is_image_name:
            yield from _walk(root, filename, is_own, follow_symlinks, above)
        elif entry.kind == 'folder':
            yield filename, _Entry(entry.path, 'a folder, not an image')
        elif entry.kind == 'image' and not is_image_name:
            yield filename, _Entry(entry.path, 'ignored')
        else:
            yield filename, entry


def _look(path: str, follow_symlinks: bool) -> _Entry:
    """What stands under a name, without opening it: a FIFO would block for ever."""
    if files.is_remote(path):
        if files.is_folder(path):
            return _Entry(path, 'folder')
        return _Entry(path, 'image', files.size(path))
    try:
        status = os.stat(path, follow_symlinks=follow_symlinks)
    except OSError as error:
        return _Entry(path, (error.strerror or str(error)).lower())
    if stat.S_ISLNK(status.st_mode):
        return _Entry(path, 'symbolic link (see --follow_symlinks)')
    if stat.S_ISDIR(status.st_mode):
        return _Entry(path, 'folder')
    if not stat.S_ISREG(status.st_mode):
        return _Entry(path, 'not a regular file')
    return _Entry(path, 'image', status.st_size)


def _identity(folder: str) -> object:
    """The same for one folder under two names, which only local links give it."""
    if files.is_remote(folder):
        return folder
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _place(folder: str) -> str:
    """A path to compare with others; the folder need not be there yet."""
    return folder.rstrip('/') if files.is_remote(folder) else os.path.realpath(folder)


def _holds(folder: str, other: str) -> bool:
    """True if `other` is the folder or lies in it."""
    return f'{_place(other)}/'.startswith(f'{_place(folder)}/')
