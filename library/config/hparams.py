"""Resolve written values to HParams: one frozen object of all options of a run and their origins.

Precedence: the field's default < the YAML set < the saved run (in modes that work on one) < the
command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

from library.config.catalog import Catalog
from library.config.checked_sets import chosen_sets, place_of, read_choice, read_value
from library.config.command_line import CommandLine
from library.config.fields import Option, Options, options_of
from library.config.yaml_sets import Set, Written
from library.errors import ConfigError
from library.suggestions import suggestion

OptionsT = TypeVar('OptionsT', bound=Options)


@dataclass(frozen=True)
class Value:
    """A value, where it came from, and the option that it belongs to."""

    value: Any
    origin: str
    option: Option


class HParams:
    """Options and hyper-parameters of one run; read as attributes, never changed.

    It is the Estimator's `params`, so input_fn and model_fn find every flag in it.
    """

    _entries: dict[str, Value]
    unused: dict[str, str]

    def __init__(self, entries: Mapping[str, Value], unused: Mapping[str, str] | None = None):
        for name in entries:
            if hasattr(type(self), name):
                raise TypeError(f'an option cannot be called {name!r}, as a method of HParams is')
        self.__dict__.update(_entries=dict(entries), unused=dict(unused or {}))

    def __getattr__(self, name: str) -> Any:
        # Copying and pickling look for dunder names before __init__ has run.
        if name.startswith('_'):
            raise AttributeError(name)
        try:
            return self._entries[name].value
        except KeyError:
            near = suggestion(name, self._entries)
            raise AttributeError(f'this run has no option {name!r}{near}') from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f'HParams do not change: make others with with_values({name}=...)')

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def values(self) -> dict[str, Any]:
        """Map each name to its value, in the order of declaration."""
        return {name: entry.value for name, entry in self._entries.items()}

    def entries(self) -> dict[str, Value]:
        """Map each name to value, origin and option."""
        return dict(self._entries)

    def origin(self, name: str) -> str:
        """Return where a value came from: 'default', 'project.yaml:12', 'command line' ..."""
        return self._entries[name].origin

    def place(self, name: str) -> str:
        """Say where a person changes a value: '--NAME', or file, line and key of a file."""
        return place_of(self._entries[name].origin, name)

    def take(self, cls: type[OptionsT]) -> OptionsT:
        """Return the options of one class, as an instance of it.

        Raises:
          ConfigError: values that are legal alone do not go together.
        """
        return _made(cls, {each.name: self._entries[each.name].value for each in options_of(cls)})

    def with_values(self, origin: str, **values: Any) -> Self:
        """Return a copy with some values replaced by what the run found out."""
        entries = dict(self._entries)
        for name, value in values.items():
            entries[name] = replace(entries[name], value=value, origin=origin)
        return type(self)(entries, self.unused)


def resolve(
    catalog: Catalog,
    command_line: CommandLine,
    saved: Set | None = None,
    sets: Set | None = None,
) -> HParams:
    """Merge defaults, YAML sets, a saved run and the command line.

    Args:
      catalog: the options there are; must declare config_file, config_set, hyperparameter_file
        and hyperparameter_set, which say where the sets are.
      command_line: what was typed.
      saved: the written values of a run's hparams.yaml; of these the options that are kept with
        a run count.
      sets: what `chosen_sets` gave, where this start has read them before; None reads them.

    Raises:
      ConfigError: a wrong file, set, key, type, range or choice, in one line.
    """
    typed = command_line.values
    sets = chosen_sets(catalog, typed) if sets is None else sets
    known = catalog.by_name
    kept = {n: w for n, w in (saved or {}).items() if n in known and known[n].kept_with_run}
    if saved:
        # A run that is older than an option did what its default says, whatever a set says now.
        sets = {n: w for n, w in sets.items() if n not in known or not known[n].kept_with_run}
    written = {**sets, **kept, **typed}
    for name in written.keys() - typed.keys():
        if name in known and known[name].instead_of in typed:
            # As if its set had not been: what was typed would have no effect.
            del written[name]
    chosen = _choices(catalog, written)
    used = {option.name: option for option in catalog.used(command_line.mode, chosen)}
    for name in typed:
        if name not in used:
            raise ConfigError(
                f'--{name} is not used by this run: it is an option of {catalog.owners(name)}'
            )
    entries = {}
    for name, option in used.items():
        value = chosen.get(name, option.default)
        if name in written and name not in chosen:
            value = read_value(option, written[name])
        entries[name] = Value(value, written[name].origin if name in written else 'default', option)
    unused = {name: written[name].origin for name in written if name not in used}
    return HParams(entries, unused)


def peek(catalog: Catalog, command_line: CommandLine, sets: Set, name: str) -> Any:
    """Read one value, before it is known what else the run needs; raises as `resolve`."""
    option, written = catalog.by_name[name], {**sets, **command_line.values}
    return read_value(option, written[name]) if name in written else option.default


def _choices(catalog: Catalog, written: Mapping[str, Written]) -> dict[str, str]:
    """Return the choice of every selector, aliases resolved."""
    chosen = {}
    for name in catalog.selectors:
        option = catalog.by_name[name]
        source = written.get(name, Written(str(option.default), 'default'))
        chosen[name] = read_choice(catalog, name, source, place_of(source.origin, name))
    return chosen


def read_options(cls: type[OptionsT], command_line: CommandLine, catalog: Catalog) -> OptionsT:
    """Read the options of one class from the command line alone, for a program without YAML sets.

    Raises:
      ConfigError: a value of the wrong type or out of range, or values that do not go together.
    """
    typed = command_line.values
    return _made(
        cls,
        {
            each.name: read_value(each, typed[each.name])
            for each in catalog.options_of(cls)
            if each.name in typed
        },
    )


def _made(cls: type[OptionsT], values: Mapping[str, Any]) -> OptionsT:
    try:
        return cls(**values)
    except ValueError as error:
        raise ConfigError(f'--{error}') from None
