"""Read the files of sets, and check every key and value in them, once per start."""

from __future__ import annotations

import re
from typing import Any

from library.config.catalog import Catalog
from library.config.fields import COMMAND_LINE, HYPERPARAMETERS, PROJECT, Option
from library.config.set_files import find_set_file
from library.config.yaml_sets import Set, Written, read_sets
from library.errors import ConfigError
from library.extras import missing_extra
from library.suggestions import nearest_or_all

# The options that choose a file of sets, and a set in it; those of the first may choose the second.
_CHOOSING = {
    PROJECT: ('config_file', 'config_set'),
    HYPERPARAMETERS: ('hyperparameter_file', 'hyperparameter_set'),
}
# FILE:LINE, as an origin.
_FROM_FILE = re.compile(r':\d+$')


def chosen_sets(catalog: Catalog, typed: Set) -> Set:
    """Read the two sets that a start chooses, as one; all sets of their files are checked.

    Args:
      catalog: the options that sets may give.
      typed: what the command line gives, which chooses files and sets.

    Raises:
      ConfigError: a file, any of its sets, or the name of a set is wrong.
    """
    chosen: Set = {}
    for home, choosing in _CHOOSING.items():
        written = {**chosen, **typed}
        path, name = (
            str(written[each].text) if each in written else catalog.by_name[each].default
            for each in choosing
        )
        path = find_set_file(path, catalog.folders)
        sets = read_sets(path)
        for set_name, values in sets.items():
            for key, each in values.items():
                _check(catalog, home, set_name, key, each)
        if name not in sets:
            raise ConfigError(f'{path}: no set {name!r}{nearest_or_all(name, sets)}')
        chosen |= sets[name]
    return chosen


def _check(catalog: Catalog, home: str, set_name: str, key: str, written: Written) -> None:
    place = f'{written.origin}: set {set_name!r}: key {key!r}'
    option = catalog.find(key, place)
    if option.home == COMMAND_LINE:
        raise ConfigError(f'{place} can only be given on the command line')
    if option.home != home:
        raise ConfigError(f'{place} belongs in {option.home}')
    if key in catalog.selectors:
        read_choice(catalog, key, written, place)
    else:
        read_value(option, written, place)


def read_choice(catalog: Catalog, selector: str, written: Written, place: str) -> str:
    """Return what a selector's text stands for, once there is such a choice."""
    choices = catalog.selectors[selector]
    if not isinstance(written.text, str):
        raise ConfigError(f'{place}: a list was given, expected a text')
    choice = catalog.choice(selector, written.text)
    if choice not in choices:
        known = (*choices, *catalog.aliases.get(selector, {}))
        raise ConfigError(f'{place}: no {selector} {choice!r}{nearest_or_all(choice, known)}')
    return choice


def read_value(option: Option, written: Written, place: str | None = None) -> Any:
    """Read the value that a written text gives to an option; `place` is for messages."""
    try:
        return option.read(written.text)
    except ValueError as error:
        where = place or place_of(written.origin, option.name)
        raise ConfigError(f'{where}: {_of_missing_extra(option, written) or error}') from None


def _of_missing_extra(option: Option, written: Written) -> str | None:
    """Name the extra, not in this clone, that has a choice; None for other texts."""
    texts = option.parts_of(written.text) if isinstance(written.text, str) else written.text
    for text in texts if option.choices else ():
        if extra := missing_extra(text):
            return f'{text!r} is a choice of extras/{extra}, which this clone does not have'
    return None


def place_of(origin: str, name: str) -> str:
    """Return 'file:line: key 'name'' for a file, otherwise '--name'."""
    return f'{origin}: key {name!r}' if _FROM_FILE.search(origin) else f'--{name}'
