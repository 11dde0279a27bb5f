"""Read the files of sets, and check every key and value in them, once per start."""

from __future__ import annotations

import re
from typing import Any

from library.config.catalog import Catalog
from library.config.fields import COMMAND_LINE, Option
from library.config.set_files import find_set_file
from library.config.yaml_sets import Set, Written, read_sets
from library.errors import ConfigError
from library.extras import missing_extra
from library.suggestions import nearest_or_all

# FILE:LINE, as an origin.
_FROM_FILE = re.compile(r':\d+$')


class CheckedSets:
    """The sets of each requested file, read and checked at the first request."""

    def __init__(self, catalog: Catalog):
        """Read nothing yet.

        Args:
          catalog: the options that sets may give.
        """
        self._catalog = catalog
        self._files: dict[tuple[str, str], dict[str, Set]] = {}

    def chosen(self, home: str, path: str, name: str) -> Set:
        """Return the set called `name` of a file.

        Args:
          home: of the options that belong in the file.
          path: as a person gives it.
          name: of the set.

        Raises:
          ConfigError: the file, any of its sets, or the name is wrong.
        """
        path = find_set_file(path, self._catalog.folders)
        if (home, path) not in self._files:
            sets = read_sets(path)
            for set_name, values in sets.items():
                for key, written in values.items():
                    self._check(home, set_name, key, written)
            self._files[home, path] = sets
        sets = self._files[home, path]
        if name not in sets:
            raise ConfigError(f'{path}: no set {name!r}{nearest_or_all(name, sets)}')
        return sets[name]

    def _check(self, home: str, set_name: str, key: str, written: Written) -> None:
        place = f'{written.origin}: set {set_name!r}: key {key!r}'
        option = self._catalog.find(key, place)
        if option.home == COMMAND_LINE:
            raise ConfigError(f'{place} can only be given on the command line')
        if option.home != home:
            raise ConfigError(f'{place} belongs in {option.home}')
        if key in self._catalog.selectors:
            read_choice(self._catalog, key, written, place)
        else:
            read_value(option, written, place)


def read_choice(catalog: Catalog, selector: str, written: Written, place: str) -> str:
    """Return what a selector's text stands for, after checking that such a choice exists."""
    choices = catalog.selectors[selector]
    if not isinstance(written.text, str):
        raise ConfigError(f'{place}: a list was given, expected a text')
    choice = catalog.choice(selector, written.text)
    if choice not in choices:
        known = (*choices, *catalog.aliases.get(selector, {}))
        raise ConfigError(f'{place}: no {selector} {choice!r}{nearest_or_all(choice, known)}')
    return choice


def read_value(option: Option, written: Written, place: str) -> Any:
    """Read a written text as an option's value."""
    try:
        return option.read(written.text)
    except ValueError as error:
        where = place if place.startswith(written.origin) else place_of(written.origin, option.name)
        raise ConfigError(f'{where}: {_of_missing_extra(option, written) or error}') from None


def _of_missing_extra(option: Option, written: Written) -> str | None:
    """Explain a choice of an extra that this clone lacks; None for other texts."""
    texts = option.parts_of(written.text) if isinstance(written.text, str) else written.text
    for text in texts if option.choices else ():
        if extra := missing_extra(text):
            return f'{text!r} is a choice of extras/{extra}, which this clone does not have'
    return None


def place_of(origin: str, name: str) -> str:
    """Return 'file:line: key 'name'' for a value from a file, otherwise '--name'."""
    return f'{origin}: key {name!r}' if _FROM_FILE.search(origin) else f'--{name}'
