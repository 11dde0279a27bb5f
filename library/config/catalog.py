"""Catalogue the options of a program: which there are, who reads each, and when.

Some options are always read; others belong to one choice of a selector: the option `model`
selects the options of one model, `optimizer` those of one optimizer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from library.config.fields import Option, Options, options_of
from library.errors import ConfigError
from library.extras import missing_extra
from library.suggestions import option_suggestion

# What two declarations of one name must share: YAML sets are checked without knowing the choice.
_RULES = ('value_type', 'optional', 'many', 'home', 'low', 'high', 'above', 'below', 'choices')

Selectors = Mapping[str, Mapping[str, type[Options]]]


@dataclass(frozen=True)
class Catalog:
    """All options that a program knows.

    Attributes:
      always: classes whose options every run has (in the modes that they name).
      selectors: option name -> its choice -> the class whose options that choice adds.
      aliases: option name -> other texts for a choice, such as {'model': {'latest': 'hub'}}.
      folders: where to look for files of sets that the working folder lacks.
      choices: option name -> the legal texts, of an option whose choices the extras add to.
    """

    always: Sequence[type[Options]]
    selectors: Selectors
    aliases: Mapping[str, Mapping[str, str]]
    folders: Sequence[str] = ()
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def extended(
        self, options: Sequence[type[Options]], choices: Mapping[str, Sequence[str]]
    ) -> Catalog:
        """Add classes of options, and choices of options, to a copy."""
        return replace(self, always=(*self.always, *options), choices={**self.choices, **choices})

    def options_of(self, cls: type[Options]) -> list[Option]:
        """Return the options of a class, with the choices that there are in this program."""
        return [
            replace(each, choices=tuple(self.choices[each.name]))
            if each.name in self.choices
            else each
            for each in options_of(cls)
        ]

    @cached_property
    def by_name(self) -> dict[str, Option]:
        """Map each name to its option; choices that share a name must share its declaration."""
        found = {o.name: o for c in self.always for o in self.options_of(c)}
        for choices in self.selectors.values():
            for cls in choices.values():
                for each in self.options_of(cls):
                    first = found.setdefault(each.name, each)
                    if _rules(first) != _rules(each):
                        raise TypeError(f'option {each.name!r} is declared in two ways')
        return found

    def find(self, name: str, place: str) -> Option:
        """Find the option of this name.

        Raises:
          ConfigError: there is none; the message starts with `place` and ends with the nearest.
        """
        if name not in self.by_name:
            if extra := missing_extra(name) or missing_extra(name.removeprefix('no_')):
                raise ConfigError(
                    f'{place}: is an option of extras/{extra}, which this clone does not have'
                )
            raise ConfigError(f'{place}: unknown{option_suggestion(name, self.by_name)}')
        return self.by_name[name]

    def choice(self, selector: str, text: str) -> str:
        """Return the choice that a selector's text stands for, aliases resolved."""
        return self.aliases.get(selector, {}).get(text, text)

    def used(self, mode: str, chosen: Mapping[str, str]) -> list[Option]:
        """Return the options that a run in `mode` with these choices reads."""
        classes = [c for c in self.always if not c.modes or mode in c.modes]
        classes += [self.selectors[name][choice] for name, choice in chosen.items()]
        return list({each.name: each for cls in classes for each in self.options_of(cls)}.values())

    def owners(self, name: str) -> str:
        """Say who reads an option, in a reader's words: '--model hub' or 'the mode evaluate'."""
        owners = [
            f'--{selector} {choice}'
            for selector, choices in self.selectors.items()
            for choice, cls in choices.items()
            if name in {each.name for each in self.options_of(cls)}
        ]
        modes = self.by_name[name].modes
        if modes and not owners:
            owners = [f'the mode {mode}' for mode in modes]
        return ' and '.join(owners)

    def with_owners(self) -> list[tuple[Option, str]]:
        """Return every option a person may set, in order of declaration, with who reads it.

        Returns:
          (option, 'for evaluate and predict' or 'model: hub' or '') pairs; of an option of several
          choices the first one's, and defaults that differ stand beside the others.
        """
        rows = [
            (each, f'for {" and ".join(each.modes)}' if each.modes else '')
            for cls in self.always
            for each in self.options_of(cls)
        ]
        listed = set()
        for selector, choices in self.selectors.items():
            declared: dict[str, list[tuple[str, Option]]] = {}
            for choice, cls in choices.items():
                for each in self.options_of(cls):
                    if each.name not in listed:
                        declared.setdefault(each.name, []).append((choice, each))
            listed |= set(declared)
            for (first, option), *others in declared.values():
                owners = [first]
                for choice, each in others:
                    differs = each.default != option.default
                    owners.append(choice + f' (default {each.default_text})' * differs)
                rows.append((option, f'{selector}: {" and ".join(owners)}'))
        return rows


def _rules(option: Option) -> tuple[object, ...]:
    return tuple(getattr(option, name) for name in _RULES)
