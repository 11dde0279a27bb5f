"""Digest the files of code that features follow from, so that an edit of any of them is noticed."""

from __future__ import annotations

import glob
import hashlib
import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from library import files

# The rooms of the library that make pixels of records, and features of pixels.
ROOMS = ('inputs', 'models', 'records')
_LIBRARY = Path(__file__).resolve().parents[1]


def features_digest(made_from: str, model: Any) -> str:
    """Digest all that a model's features follow from, beside the pixels.

    Args:
      made_from: digest of the file that the model is built from, such as a TF-Hub module; '' if
        there is none.
      model: its class, or anything else that the project defines.
    """
    return hashlib.sha256(f'{made_from}\n{code_digest(model)}'.encode()).hexdigest()


def code_digest(defined: Any) -> str:
    """Digest every Python file of a project, and of the library's rooms that it makes features by.

    It counts more files than features follow from, and none too few: names are not followed. Only
    what the code reads, or imports from elsewhere, is not seen.

    Args:
      defined: a class or function of the project, such as its model.
    """
    project = defined.__module__.partition('.')[0]
    spec = importlib.util.find_spec(project)
    assert spec is not None
    assert spec.origin is not None
    places = spec.submodule_search_locations or [spec.origin]
    return digest_of_files([*places, *(str(_LIBRARY / room) for room in ROOMS)])


def digest_of_files(places: Iterable[str]) -> str:
    """Digest folders of Python files, with the folders in them, and single files.

    Where the places lie does not matter, so that two clones share the features of their data.
    """
    digests = []
    for place in places:
        folder, names = os.path.split(place)[0], [os.path.basename(place)]
        if os.path.isdir(place):
            folder, names = place, glob.glob('**/*.py', root_dir=place, recursive=True)
        digests.append(files.digest_of_all(folder, names))
    return hashlib.sha256('\n'.join(digests).encode()).hexdigest()
