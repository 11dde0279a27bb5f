"""Find a file of sets: in the working folder, or else beside the program; no TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterable


def find_set_file(path: str, folders: Iterable[str]) -> str:
    """Return the path to read a file of sets from.

    Args:
      path: as a person gives it. Only a plain name, without folders, is looked for elsewhere.
      folders: where to look for a name that the working folder lacks: where a clone keeps its
        files, and where an installed package does.

    Returns:
      The path as given, or that of the file of this name in the first folder that has one.
    """
    if os.path.basename(path) != path or os.path.lexists(path):
        return path
    places = (os.path.join(folder, path) for folder in folders)
    return next((place for place in places if os.path.isfile(place)), path)
