"""Find the source that fits what a person has, among those of a project and its extras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from library import files
from library.errors import ConfigError
from library.extras import load
from library.preparation.image_files import is_archive
from library.preparation.options import TableOptions
from library.preparation.sources.other_downloads import advice
from library.preparation.sources.source import Source

# It fits every folder.
LAST = 'folder'
# What --label_from_name asks for.
BY_NAME = 'names'

# Name to 'module:class', in the order in which they are tried.
Sources = Mapping[str, str]


def joined(own: Sources, more: Sources) -> dict[str, str]:
    """Put further sources behind a project's own, and before the one that fits every folder."""
    together = {**own, **more}
    if LAST in together:
        together[LAST] = together.pop(LAST)
    return together


def source_class(sources: Sources, name: str) -> type[Source]:
    """Return the class of a source by its name."""
    return load(sources[name])


def find_source(sources: Sources, dataset_dir: str, options: TableOptions | None = None) -> str:
    """Return the name of the first source that fits what stands at a path.

    Args:
      sources: by name.
      dataset_dir: the path.
      options: may ask for a source.

    Raises:
      ConfigError: there is nothing, or nothing that a source knows.
    """
    by_name = options is not None and options.label_from_name and BY_NAME in sources
    if by_name and files.is_folder(dataset_dir):
        return BY_NAME
    for name in sources:
        if source_class(sources, name).fits(dataset_dir):
            if name == LAST and (way := advice(dataset_dir)):
                raise ConfigError(f'{dataset_dir}: {way}')
            return name
    if not files.exists(dataset_dir):
        raise ConfigError(f'{dataset_dir}: no such folder or file (--dataset_dir)')
    if not files.is_folder(dataset_dir) and is_archive(dataset_dir):
        raise ConfigError(f'{dataset_dir}: an archive; unpack it first, and give the folder')
    if way := advice(dataset_dir):
        raise ConfigError(f'{dataset_dir}: {way}')
    known = ', '.join(sources)
    raise ConfigError(f'{dataset_dir}: no source knows this (--source is one of {known})')


def check_flags(sources: Sources, given: Iterable[str], chosen: str) -> None:
    """Raise ConfigError if an option is given that belongs to another source."""
    for name in sources:
        others = set(source_class(sources, name).own_flags)
        others -= set(source_class(sources, chosen).own_flags)
        for flag in given:
            if flag in others:
                raise ConfigError(f'--{flag} is an option of the source {name}, not of {chosen}')
