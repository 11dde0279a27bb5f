"""Find the images that the paths of a person stand for, one after the other.

A source lists a whole data set with its classes, and refuses one that is damaged. Here there are no
classes, each fault is one image's, and the first image is predicted before the last is found. Only
names are looked at here; an image's file is opened when its turn comes. Imports no
TensorFlow for local images and lists.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TypeAlias

from library import files
from library.errors import ConfigError, DataError
from library.modes.prediction.listed_images import listed_images
from library.preparation.image_files import (
    has_image_ending,
    is_image_file,
    is_of_other_program,
)
from library.preparation.output import CONTACT_SHEET
from library.preparation.sources.entries import look
from library.records.listing import Content, Unusable
from library.records.manifest import from_json, manifest_names

# TFRecord files, by their ending or by their numbering.
_RECORD_FILE = re.compile(r'.*(\.(tfrecords?|tfrec)|-\d{5}-of-\d{5})', re.DOTALL | re.IGNORECASE)
_PATTERN = re.compile(r'[*?[]')

Warn = Callable[[str], None]


# A name for the prediction, and the file's path, its bytes, or why it cannot be read.
FoundImage: TypeAlias = tuple[str, Content]


def check_some_exist(paths: Sequence[str], place: str) -> None:
    """Raise ConfigError if no path is named, or there is no image under any of them.

    Args:
      paths: files, folders and patterns; remote ones are taken for there.
      place: where a person names them.
    """
    if not paths:
        raise ConfigError(f'{place}: name what to classify: images, folders, patterns, .csv files')
    if any(map(files.is_remote, paths)):
        return
    named = [path for pattern in paths for path in matching(pattern)]
    if not named:
        raise ConfigError(f'{", ".join(paths[:5])}: no such file or folder ({place})')
    if next(_of_all(named, lambda text: None), None) is None:
        raise ConfigError(f'{", ".join(paths[:5])}: no images found ({place})')


def find_images(paths: Sequence[str], warn: Warn) -> Iterator[FoundImage]:
    """Find what the paths stand for, in their order; folders are walked by name.

    Args:
      paths: images, folders, patterns, .csv files, TFRecord files.
      warn: is told what stands for nothing.

    Raises:
      ConfigError: a .csv file has no column of paths; before anything is yielded.
    """
    named = []
    for path in paths:
        found = matching(path)
        if not found:
            warn(f'{path}: no such file or folder')
        named += found
    return _of_all(named, warn)


def _of_all(named: Sequence[str], warn: Warn) -> Iterator[FoundImage]:
    """Open the lists among paths that are there at once, all else when its turn comes."""
    return chain.from_iterable(
        [listed_images(path) if _is_list(path) else _below(path, warn) for path in named]
    )


def matching(path: str) -> list[str]:
    """List what a pattern stands for, sorted; ** is any number of folders on local disks."""
    if files.is_remote(path):
        return [path] if files.exists(path) else files.matching(path)
    if os.path.lexists(path) or not _PATTERN.search(path):
        return [path] if os.path.lexists(path) else []
    parts = path.split('/')
    return sorted(_below_stars(parts)) if '**' in parts else sorted(glob.glob(path))


def _below_stars(parts: list[str]) -> set[str]:
    """Find the files that a pattern with ** stands for, in each folder once however it is linked.

    Python's own ** goes around in a loop of links, and twice as often for each further link.
    """
    stars = parts.index('**')
    rest = parts[stars + 1 :] or ['*']
    found: set[str] = set()
    waiting = glob.glob('/'.join([*parts[:stars], ''])) if stars else ['']
    seen = {files.identity(folder or '.') for folder in waiting}
    while waiting:
        folder = waiting.pop(0)
        further = glob.escape(folder) + '/'.join(rest)
        if '**' in rest:
            found |= _below_stars(further.split('/'))
        else:
            found |= {each for each in glob.glob(further) if not os.path.isdir(each)}
        for inner in sorted(glob.glob(glob.escape(folder) + '*/')):
            if (identity := files.identity(inner)) not in seen:
                seen.add(identity)
                waiting.append(inner)
    return found


def _is_list(path: str) -> bool:
    return path.lower().endswith('.csv') and look(path, follow_symlinks=True).kind == 'image'


def _below(path: str, warn: Warn) -> Iterator[FoundImage]:
    """Find the images of one named path: an image, a TFRecord file or a folder."""
    # In ram:// the beginning of a file's name counts as a folder.
    if files.is_remote(path) and (has_image_ending(path) or _RECORD_FILE.fullmatch(path)):
        is_folder = False
    else:
        is_folder = files.is_folder(path)
    if not is_folder:
        yield from _of_records(path) if _RECORD_FILE.fullmatch(path) else [_of_file(path)]
        return
    is_empty = True
    for image in _in_folder(path, frozenset(), warn):
        is_empty = False
        yield image
    if is_empty:
        warn(f'{path}: holds no images')


def _in_folder(folder: str, above: frozenset[object], warn: Warn) -> Iterator[FoundImage]:
    """Find the images below a folder, sorted in each; converted ones where it holds such."""
    try:
        identity = files.identity(folder)
        if identity in above:
            warn(f'{folder}: left out, a symbolic link to a folder above it')
            return
        manifests = manifest_names(folder)
        names = files.names_in(folder)
    except OSError as error:
        if files.is_exhausted(error):
            raise
        yield folder, Unusable((error.strerror or str(error)).lower())
        return
    if manifests:
        for name in manifests:
            yield from _converted(files.join(folder, name))
        return
    for name in names:
        if is_of_other_program(name) or name.endswith(CONTACT_SHEET):
            continue
        path = files.join(folder, name)
        if has_image_ending(name):
            yield _of_file(path)
        elif files.is_folder(path):
            yield from _in_folder(path, above | {identity}, warn)
        elif look(path, follow_symlinks=True).kind == 'image' and is_image_file(path):
            yield _of_file(path)


def _of_file(path: str) -> FoundImage:
    """Look up an image's name; a FIFO, which would block for ever, is never opened."""
    if files.is_remote(path):
        return path, path
    entry = look(path, follow_symlinks=True)
    return path, path if entry.kind == 'image' else Unusable(entry.reason)


def _of_records(path: str) -> Iterator[FoundImage]:
    """Read the images of one TFRecord file."""
    name, content = _of_file(path)
    if isinstance(content, Unusable):
        yield name, content
        return
    # Late, because it imports TensorFlow.
    from library.modes.prediction.records import read_images

    yield from read_images(path)


def _converted(path: str) -> Iterator[FoundImage]:
    """Read the shards that a manifest names; one that was cut loses only its tail."""
    try:
        manifest = from_json(files.read_bytes(path), path)
    except DataError as error:
        yield path, Unusable(str(error).removeprefix(f'{path}: '))
        return
    for shard in manifest.shards:
        shard_path = files.join(manifest.folder, shard.name)
        if not files.exists(shard_path):
            yield shard_path, Unusable('the shard is missing')
            continue
        yield from _of_records(shard_path)
        size = files.size(shard_path)
        if size != shard.bytes:
            reason = f'the shard has {size} bytes, but {shard.bytes} were written'
            yield shard_path, Unusable(reason)
