"""Read and write files by path, local or remote, so that no other room asks which it is.

Local paths use the standard library and never import TensorFlow. Paths with a scheme (gs://,
ram://) go through tf.io.gfile, imported on first use.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from library.errors import ResourceError

# What a machine runs out of: open files, memory.
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}

# What TensorFlow's wheels open by themselves.
SCHEMES = ('gs', 'ram', 'file')


def is_remote(path: str) -> bool:
    """Return True for a path with a scheme, such as gs://bucket/images."""
    return '://' in path


def join(folder: str, *names: str) -> str:
    """Join path parts; a scheme in `folder` is kept."""
    return os.path.join(folder, *names)


def gfile(path: str) -> Any:
    """Import tf.io.gfile, once `path` is known to have a scheme that it opens.

    Raises:
      ResourceError: the scheme needs a file-system plug-in that is not installed.
    """
    scheme = path.split('://')[0]
    if scheme not in SCHEMES:
        raise ResourceError(
            f'{path}: {scheme}:// needs the package tensorflow-io, which this project does not '
            f'install (paths may be local, gs:// or ram://)'
        )
    import tensorflow as tf

    return tf.io.gfile


def read_bytes(path: str) -> bytes:
    """Read the whole file.

    Raises:
      FileNotFoundError: there is none. Else OSError (local) or tf.errors.OpError (remote).
    """
    missing = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if is_remote(path) and not exists(path):
        raise missing
    try:
        with open_binary(path) as file:
            return bytes(file.read())
    except Exception as error:
        # TensorFlow's, of a file that was removed meanwhile; asked by name, as it may not be here.
        if type(error).__name__ == 'NotFoundError':
            raise missing from error
        raise


def open_binary(path: str) -> Any:
    """Open a file to read from, with read and seek; close it, or use it in a with statement."""
    return gfile(path).GFile(path, 'rb') if is_remote(path) else open(path, 'rb')


def digest(path: str) -> tuple[int, str]:
    """Return a file's length in bytes and its sha256; only a piece at a time is in memory."""
    piece, length, sha256 = 1 << 20, 0, hashlib.sha256()
    with open_binary(path) as file:
        while data := file.read(piece):
            length += len(data)
            sha256.update(data)
    return length, sha256.hexdigest()


def digest_of_all(folder: str, names: Sequence[str]) -> str:
    """Digest names and contents of several files of a folder to one sha256."""
    parts = [f'{name}\0{digest(join(folder, name))[1]}\n' for name in sorted(names)]
    return hashlib.sha256(''.join(parts).encode('utf-8', 'surrogateescape')).hexdigest()


def write_atomically(
    path: str, data: bytes | Iterable[bytes], partial: str = '', *, durable: bool = True
) -> None:
    """Writes `data` so that `path` holds the old bytes or the new ones, never a part of them.

    Args:
      path: of the file.
      data: the bytes, whole or in pieces.
      partial: what it is called until it is whole; '': PATH.partial.
      durable: whether the new bytes must survive a power loss; waiting for the disk takes time.

    Raises:
      OSError: the disk is full or the folder may not be written.
    """
    if is_remote(path):
        gfile(path)  # here, so that a refusal names the file and not its temporary name
    partial = partial or f'{path}.partial'
    write(partial, (data,) if isinstance(data, bytes) else data, durable=durable)
    replace(partial, path, durable=durable)


def write(path: str, pieces: Iterable[bytes], *, durable: bool = True) -> None:
    """Writes a file from its start; its content is durable when it returns, unless told otherwise.

    Raises:
      OSError: the disk is full or the folder may not be written; it names the file.
    """
    file = _created(path)
    try:
        for piece in pieces:
            with _named(path):
                file.write(piece)
        with _named(path):
            file.close()
    except BaseException:
        # On a full disk closing fails too, and would hide the first failure.
        with contextlib.suppress(Exception):
            file.close()
        raise
    if durable and not is_remote(path):
        with _named(path):
            sync(path)


def _created(path: str) -> Any:
    return gfile(path).GFile(path, 'wb') if is_remote(path) else open(path, 'wb')


@contextlib.contextmanager
def _named(path: str) -> Iterator[None]:
    """Give an OSError the name of the file: a full disk tells none."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = path
        raise


def write_if_changed(path: str, data: bytes) -> None:
    """Write as `write_atomically`, unless `path` holds this already: disks take their time."""
    if not (exists(path) and read_bytes(path) == data):
        write_atomically(path, data)


def replace(source: str, target: str, *, durable: bool = True) -> None:
    """Renames `source` to `target`, in place of what stood there; durable when it returns."""
    if is_remote(target):
        gfile(target).rename(source, target, overwrite=True)
        return
    os.replace(source, target)
    if durable:
        sync(os.path.dirname(target) or '.')


def sync(path: str) -> None:
    """Make a local file's content survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_exhausted(error: OSError) -> bool:
    """Return True if reading failed for want of memory or of files that may be open at once.

    It says nothing about the file then.
    """
    return error.errno in EXHAUSTED


def real_path(path: str) -> str:
    """Return what is the same for one file under two names, which only local links give it."""
    return path if is_remote(path) else os.path.realpath(path)


def identity(folder: str) -> object:
    """Return what is the same for one folder under two names; it must be there."""
    if is_remote(folder):
        return folder
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def exists(path: str) -> bool:
    """Return True if there is a file or folder of this name."""
    return bool(gfile(path).exists(path)) if is_remote(path) else os.path.exists(path)


def is_folder(path: str) -> bool:
    """Return True if there is a folder of this name."""
    return bool(gfile(path).isdir(path)) if is_remote(path) else os.path.isdir(path)


def names_in(folder: str) -> list[str]:
    """List the names inside a folder, sorted; [] where there is no such folder."""
    if not is_folder(folder):
        return []
    names = gfile(folder).listdir(folder) if is_remote(folder) else os.listdir(folder)
    return sorted(name.rstrip('/') for name in names)


def folders_in(folder: str) -> list[str]:
    """List the names of the folders inside a folder, sorted, links to folders included."""
    if is_remote(folder):
        return [name for name in names_in(folder) if is_folder(join(folder, name))]
    # A folder may hold many photos: this asks for the kind of none of them.
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir())


def matching(pattern: str) -> list[str]:
    """List what a pattern with * ? [ stands for, sorted; the path itself if it is there."""
    if is_remote(pattern):
        return sorted(gfile(pattern).glob(pattern))
    return [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern))


def size(path: str) -> int:
    """Return the file's length in bytes."""
    return int(gfile(path).stat(path).length) if is_remote(path) else os.path.getsize(path)


def names_below(folder: str) -> list[str]:
    """List the files in a folder and in those within it, as paths from there, sorted."""
    walk = gfile(folder).walk if is_remote(folder) else os.walk
    found = (join(parent, name) for parent, _, names in walk(folder) for name in names)
    return sorted(os.path.relpath(path, folder) for path in found)


def size_below(folder: str) -> int:
    """Return the length of all these files in bytes."""
    return sum(size(join(folder, name)) for name in names_below(folder))


def copy_below(source: str, target: str, names: Iterable[str]) -> None:
    """Copy files from one folder to another one, in this order, by their paths in it."""
    for name in names:
        path = join(target, name)
        make_folder(os.path.dirname(path))
        write_atomically(path, read_bytes(join(source, name)))


def make_folder(path: str) -> None:
    """Make the folder and its parents, if they are not there."""
    if is_remote(path):
        gfile(path).makedirs(path)
    else:
        os.makedirs(path, exist_ok=True)


def remove(path: str) -> None:
    """Remove a file."""
    if is_remote(path):
        gfile(path).remove(path)
    else:
        os.remove(path)


def remove_all(path: str) -> None:
    """Remove a file, or a folder with all that is in it; a link alone, not what it leads to."""
    if is_remote(path):
        module = gfile(path)
        (module.rmtree if module.isdir(path) else module.remove)(path)
    elif os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.remove(path)
