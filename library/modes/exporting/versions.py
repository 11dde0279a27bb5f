"""Make a folder that is filled the newest version in a folder of exported models.

TensorFlow Serving loads what is named by a number, the highest one, as soon as it sees it. So a
version gets its number when it is whole.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from library import files
from library.console import log
from library.errors import ResourceError
from library.modes.serving.saved import PROGRAM
from library.runs.lock import locked

# Where a version comes from; its first file.
RECORD = 'export.json'
# No number, so nothing serves it.
UNFINISHED = re.compile(r'unfinished-\d+')
# What wrote a remote version for so long without an end has died.
HOURS_OF_LIFE = 24


def add_version(export_dir: str, fill: Callable[[str], None]) -> str:
    """Make a version.

    A local one is filled beside the others and renamed: a kill leaves a folder that the next
    export removes. A remote one is filled on this machine and copied, saved_model.pb last, as a
    bucket cannot rename a folder at once.

    Args:
      export_dir: the folder of the versions; one process at a time writes into a local one.
      fill: writes everything into the local folder that it is given; what it raises ends the
        version.

    Returns:
      The path of the version: EXPORT_DIR/SECONDS, a number greater than any there.
    """
    if files.is_remote(export_dir):
        _remove_remote_leftovers(export_dir)
        with tempfile.TemporaryDirectory(prefix='export-') as folder:
            with _names_a_full_disk(folder):
                fill(folder)
            return _copy(folder, export_dir)

    def wait(holder: str) -> None:
        log(f'waiting for process {holder}, which exports into {export_dir}')

    with locked(export_dir, wait):
        for name in filter(UNFINISHED.fullmatch, files.names_in(export_dir)):
            # Who wrote it held the lock, and holds it no more.
            files.remove_all(files.join(export_dir, name))
        folder = files.join(export_dir, f'unfinished-{int(time.time())}')
        files.make_folder(folder)
        try:
            with _names_a_full_disk(export_dir):
                fill(folder)
            for name in files.names_below(folder):
                files.sync(files.join(folder, name))
            version = files.join(export_dir, next_number(export_dir))
            files.replace(folder, version)
        except BaseException:
            files.remove_all(folder)
            raise
    return version


def next_number(export_dir: str) -> str:
    """Give the time now in seconds, or more where a version has that already."""
    return str(max([int(time.time()), *(int(name) + 1 for name in numbers(export_dir))]))


def numbers(export_dir: str) -> list[str]:
    """List the names of the versions, the oldest first."""
    names = (name for name in files.names_in(export_dir) if name.isascii() and name.isdigit())
    return sorted(names, key=int)


def read_records(export_dir: str) -> list[dict[str, Any]]:
    """Read where each finished version of this program comes from, the oldest first."""
    records = []
    for name in numbers(export_dir):
        folder = files.join(export_dir, name)
        record = _read_record(folder)
        if record and files.exists(files.join(folder, PROGRAM)):
            records.append(record)
    return records


@contextlib.contextmanager
def _names_a_full_disk(folder: str) -> Iterator[None]:
    """Name the folder where TensorFlow or a copy only says that a disk is full."""
    try:
        yield
    except Exception as error:
        if 'No space left' not in str(error):
            raise
        raise ResourceError(f'{folder}: no space left for an exported model') from error


def _copy(folder: str, export_dir: str) -> str:
    """Copy a finished version to where it belongs."""
    version = files.join(export_dir, next_number(export_dir))
    names = files.names_below(folder)
    names.sort(key=lambda name: (name != RECORD, name == PROGRAM))
    try:
        files.copy_below(folder, version, names)
    except BaseException:
        if files.is_folder(version):
            files.remove_all(version)
        raise
    return version


def _remove_remote_leftovers(export_dir: str) -> None:
    """Remove versions that a killed export began long ago."""
    for name in numbers(export_dir):
        folder = files.join(export_dir, name)
        record = _read_record(folder)
        if record is None or files.exists(files.join(folder, PROGRAM)):
            continue
        age = time.time() - float(record.get('created', 0))
        if age > HOURS_OF_LIFE * 3600:
            files.remove_all(folder)


def _read_record(folder: str) -> dict[str, Any] | None:
    path = files.join(folder, RECORD)
    if not files.exists(path):
        return None
    try:
        record = json.loads(files.read_bytes(path))
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
