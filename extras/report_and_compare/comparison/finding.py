"""Find the folders of runs that the command line names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from library import files
from library.errors import ConfigError
from library.runs.directory import BEST_STATE
from library.runs.metadata import SAVED_AS

# How far below a folder runs are looked for.
MAX_DEPTH = 3
# An exported model keeps the values of its run too, but is none.
_SAVED_MODEL = 'saved_model.pb'


def find_runs(words: Sequence[str]) -> list[str]:
    """Find all runs that the words name, or that lie below what they name.

    A folder with best checkpoints is a part of a run: it counts only where it was named itself.

    Raises:
      ConfigError: a word names no folder, or one without runs.
    """
    found: dict[str, str] = {}
    for word in words:
        if not files.is_folder(word):
            raise ConfigError(f'{word}: no such folder')
        folders = [word] if _holds_values(word) else list(_below(word, MAX_DEPTH))
        if not folders:
            raise ConfigError(f'{word}: no run there, nor below it (no {SAVED_AS})')
        # A link, such as `latest`, gives way to the folder that it leads to.
        for folder in sorted(folders, key=_is_link):
            found.setdefault(files.real_path(folder.rstrip('/') or folder), folder)
    return list(found.values())


def _below(folder: str, depth: int) -> Iterator[str]:
    """Find the runs below a folder; folders inside a run belong to that run."""
    try:
        names = [name for name in files.folders_in(folder) if not name.startswith('.')]
    except (PermissionError, FileNotFoundError):
        # Not ours to look into, or gone since.
        return
    for inner in (files.join(folder, name) for name in names):
        if _holds_values(inner):
            if not files.exists(files.join(inner, BEST_STATE)):
                yield inner
        elif depth > 1 and not files.exists(files.join(inner, _SAVED_MODEL)):
            yield from _below(inner, depth - 1)


def _holds_values(folder: str) -> bool:
    return files.exists(files.join(folder, SAVED_AS))


def _is_link(folder: str) -> bool:
    return not files.is_remote(folder) and os.path.realpath(folder) != os.path.abspath(folder)
