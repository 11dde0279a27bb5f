"""Find short names that tell the folders of runs apart."""

from __future__ import annotations

import os
from collections.abc import Sequence

from library import files


def short_names(folders: Sequence[str]) -> list[str]:
    """Cut each path to what is left without the folders that all share, before and behind.

    `out/a/checkpoints` and `out/b/checkpoints` are a and b; a run alone has the name of its
    folder, or of the one above where that says more.
    """
    paths = [_parts(folder) for folder in folders]
    if len(paths) == 1:
        return ['/'.join(paths[0][-2:])]
    start = _shared(paths)
    end = _shared([path[start:][::-1] for path in paths])
    # A run inside of another run's folder has nothing of its own to be cut at the end.
    end = min(end, min(len(path) - start - 1 for path in paths))
    if end < 0:
        start, end = start - 1, 0
    own = [path[start : len(path) - end] for path in paths]
    # Two folders say enough, unless they are the same for two runs.
    for count in range(2, max(map(len, own))):
        shorter = ['/'.join(path[-count:]) for path in own]
        if len(set(shorter)) == len(shorter):
            return shorter
    return ['/'.join(path) for path in own]


def _shared(paths: Sequence[Sequence[str]]) -> int:
    """Count the parts at their start that all paths share."""
    count = 0
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        count += 1
    return count


def _parts(folder: str) -> list[str]:
    path = folder if files.is_remote(folder) else os.path.abspath(folder)
    return [part for part in path.split('/') if part]
