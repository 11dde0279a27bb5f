"""The sources of images by name. `convert_dataset.py` takes the first that fits, or --source.

Add yours as one more line, before `folder`, which fits every folder.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from library import files
from library.config.fields import COMMAND_LINE, Options, option
from library.errors import ConfigError

if TYPE_CHECKING:
    from library.preparation.sources.source import Source

SOURCES = {
    'csv': 'library.preparation.sources.csv_file:CsvFile',
    'cifar10': 'library.preparation.sources.cifar:Cifar10',
    'cifar100': 'library.preparation.sources.cifar:Cifar100',
    'idx': 'library.preparation.sources.idx:Idx',
    'folder': 'library.preparation.sources.folder:Folder',
}


@dataclass(frozen=True)
class SourceChoice(Options, group='source', home=COMMAND_LINE):
    """Which source to use."""

    source: str | None = option(
        None, 'Kind of the data set; none: found out from what is there.', choices=tuple(SOURCES)
    )


def source_class(name: str) -> type[Source]:
    """The class of a source by its name in SOURCES."""
    module, _, cls = SOURCES[name].partition(':')
    return getattr(importlib.import_module(module), cls)


def find_source(dataset_dir: str) -> str:
    """The name of the first source that fits what stands at a path.

    Raises:
      ConfigError: there is nothing, or nothing that a source knows.
    """
    for name in SOURCES:
        if source_class(name).fits(dataset_dir):
            return name
    if not files.exists(dataset_dir):
        raise ConfigError(f'{dataset_dir}: no such folder or file (--dataset_dir)')
    known = ', '.join(SOURCES)
    raise ConfigError(f'{dataset_dir}: no source knows this (--source is one of {known})')


def check_flags(given: Iterable[str], chosen: str) -> None:
    """Raises ConfigError if an option is given that belongs to another source."""
    for name in SOURCES:
        others = set(source_class(name).own_flags) - set(source_class(chosen).own_flags)
        for flag in given:
            if flag in others:
                raise ConfigError(f'--{flag} is an option of the source {name}, not of {chosen}')
