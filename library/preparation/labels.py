"""Number class names once for all splits of a data set, whatever each of them holds."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from unicodedata import normalize

from library import files
from library.errors import ConfigError, DataError
from library.records.listing import Listing
from library.records.manifest import from_json, is_manifest
from library.runs.kept_values import read_saved
from library.runs.metadata import SAVED_AS, kept_metadata


def read_labels(path: str) -> tuple[str, ...]:
    """Read class names in the order of their numbers.

    Args:
      path: of a file with a name a line, of a manifest, or the directory of a run.

    Raises:
      ConfigError: there is no such file, or it names nothing or something twice.
    """
    if files.is_folder(path):
        return _of_run(path)
    if not files.exists(path):
        raise ConfigError(f'{path}: no such file (--labels)')
    if is_manifest(path):
        return from_json(files.read_bytes(path), path).class_names
    text = files.read_bytes(path).decode('utf-8-sig', 'surrogateescape')
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise ConfigError(f'{path}: holds no class names (--labels)')
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise ConfigError(f'{path}: names {_listed(twice)} twice (--labels)')
    return tuple(names)


def sorted_names(names: Collection[str], before: Sequence[str] = ()) -> tuple[str, ...]:
    """Sort class names into the order of their labels.

    Args:
      names: of all classes.
      before: those of an older conversion to the same place, in the order of their labels. Once
        numbers were sorted as texts; where they were, they are again.

    Returns:
      Sorted as texts; if all are whole numbers, as numbers, so that 0 to n - 1 are the labels
      themselves.
    """
    if not all(name.isascii() and name.isdigit() for name in names):
        return tuple(sorted(names))
    known = [name for name in before if name in names]
    if known == sorted(known) != sorted(known, key=_as_number):
        return tuple(sorted(names))
    return tuple(sorted(names, key=_as_number))


def spellings(names: Iterable[str]) -> list[list[str]]:
    """Find the names that differ in capitals, spaces, - and _, or in how a number is written.

    A number may have zeros before it, or behind its point: 1, 01 and 1.0.
    """
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        form = re.sub(r'[\s_-]+', ' ', name).strip().casefold() or name
        form = re.sub(r'^(\d+)\.0+$', r'\1', form)
        form = (form.lstrip('0') or '0') if form.isdecimal() else form
        found.setdefault(form, []).append(name)
    return [each for each in found.values() if len(each) > 1]


def told_spellings(place: str, classes: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield which names are taken for different classes though they may be one.

    Args:
      place: the data set, for messages.
      classes: (class, split or '') of each image.

    Raises:
      DataError: no split has both, so that it was one class which two splits write in two ways.
    """
    splits: dict[str, set[str]] = {}
    for name, split in classes:
        splits.setdefault(name, set()).add(split)
    for names in spellings(splits):
        if sum(len(splits[name]) for name in names) == len({s for n in names for s in splits[n]}):
            raise DataError(
                f'{place}: {", ".join(names)}: one class in two spellings? Write it in one way'
            )
        yield f'taken for different classes: {", ".join(names)}'


def _as_number(digits: str) -> tuple[int, str, str]:
    """Return what sorts digits as numbers; int() refuses thousands of them."""
    value = digits.lstrip('0')
    return len(value), value, digits


def _of_run(folder: str) -> tuple[str, ...]:
    """Read the classes that a run was trained on, from its directory or the folder above it."""
    for model_dir in (folder, files.join(folder, 'checkpoints')):
        if files.exists(files.join(model_dir, SAVED_AS)):
            names = kept_metadata(read_saved(model_dir), ('class_names',)).class_names
            if not names:
                raise ConfigError(f'{model_dir}: the run does not name its classes (--labels)')
            return names
    raise ConfigError(f'{folder}: neither a file of class names nor a run (--labels)')


def relabel(listing: Listing, names: tuple[str, ...], given_by: str = '--labels') -> Listing:
    """Number the same images as `names` says.

    Where the data set's own labels are whole numbers, and none of `names` is one, they are taken as
    positions in it.

    Args:
      listing: of a source.
      names: class names in the order of their numbers.
      given_by: where the names come from, for messages.

    Raises:
      DataError: a class that `names` does not hold, or a number beyond its end.
    """
    own = listing.class_names
    position = {name: label for label, name in enumerate(names)}
    # Systems write one letter with an accent in two ways.
    forms = {normalize('NFC', name): label for name, label in position.items()}
    for name in own:
        if name not in position and (form := normalize('NFC', name)) in forms:
            position[name] = forms[form]
    if all(map(_is_number, own)) and not any(map(_is_number, names)):
        beyond = [name for name in own if int(name) >= len(names)]
        if beyond:
            raise DataError(
                f'{listing.folder}: label {_listed(beyond)} is out of range: {given_by} has '
                f'{len(names)} classes, 0 to {len(names) - 1}'
            )
        position = {name: int(name) for name in own}
    unknown = [name for name in own if name not in position]
    if unknown:
        raise DataError(
            f'{listing.folder}: holds classes that {given_by} does not name: {_listed(unknown)}'
        )
    images = tuple(
        dataclasses.replace(image, label=position[own[image.label]]) for image in listing.images
    )
    return dataclasses.replace(listing, class_names=names, images=images)


def _is_number(name: str) -> bool:
    """Return True for a label that can be a position; Python refuses to read very many digits."""
    return re.fullmatch(r'[0-9]{1,9}', name) is not None


def _listed(names: list[str]) -> str:
    return ', '.join(map(repr, names[:5])) + (' ...' if len(names) > 5 else '')
