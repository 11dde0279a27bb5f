"""argv to a mode and written values; and --help, from the same options.

Every option is a flat flag: `--learning_rate 1e-4`, `--learning-rate=1e-4`. Booleans take no
separate value: `--xla`, `--no_xla`, `--xla=false`. Names are never shortened. The mode is only
looked for in the first place, so that no value can be taken for it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from library.config.catalog import Catalog
from library.config.fields import DERIVED, Option, options_of
from library.config.yaml_sets import Written, nearest_or_all
from library.errors import ConfigError

ORIGIN = 'command line'


@dataclass(frozen=True)
class CommandLine:
    """What was asked for, as text."""

    mode: str
    values: dict[str, Written]
    wants_help: bool


def parse(argv: Sequence[str], catalog: Catalog, modes: Sequence[str] = ()) -> CommandLine:
    """Reads the command line.

    Args:
      argv: the words after the program's name.
      catalog: the options there are.
      modes: the legal first words; the first of them is the default. () for a program without.

    Raises:
      ConfigError: an unknown mode or flag, a flag without its value or given twice, a stray word.
    """
    words = list(argv)
    mode = modes[0] if modes else ''
    if modes and words and not words[0].startswith('-'):
        mode = words.pop(0)
        if mode not in modes:
            raise ConfigError(f'unknown mode {mode!r}{nearest_or_all(mode, modes)}')
    values: dict[str, Written] = {}
    wants_help = False
    while words:
        word = words.pop(0)
        if word in ('-h', '--help'):
            wants_help = True
            continue
        if not word.startswith('--'):
            hint = '; the mode comes first' if word in modes else ''
            if word.lower() in ('true', 'false'):
                hint = f'; write --FLAG={word}'
            raise ConfigError(f'stray word {word!r} on the command line{hint}')
        option, text = _flag(word, words, catalog)
        if option.name in values and not option.many:
            raise ConfigError(f'--{option.name} is given twice')
        values[option.name] = Written(text, ORIGIN)
    return CommandLine(mode, values, wants_help)


def _flag(word: str, rest: list[str], catalog: Catalog) -> tuple[Option, str | tuple[str, ...]]:
    """One flag and its value, taken from `rest` where it is not in the word itself."""
    name, equals, text = word[2:].partition('=')
    name = name.replace('-', '_')
    positive = name.removeprefix('no_')
    if name not in catalog.by_name and positive in catalog.by_name and positive != name:
        option = catalog.by_name[positive]
        if option.value_type is bool and not equals:
            return option, 'false'
        raise ConfigError(f'--{name}: only a flag without a value can be switched off so')
    option = catalog.find(name, f'--{name}')
    if equals:
        return option, text
    if option.value_type is bool:
        return option, 'true'
    if option.many:
        several = []
        while rest and not rest[0].startswith('--'):
            several += [part for part in rest.pop(0).split(',') if part]
        return option, 'none' if several == ['none'] else tuple(several)
    if not rest or (rest[0].startswith('--') and len(rest[0]) > 2):
        raise ConfigError(f'--{name} needs a value: {option.type_name}')
    return option, rest.pop(0)


def help_text(program: str, summary: str, catalog: Catalog, modes: Sequence[str] = ()) -> str:
    """The text of --help: options in groups, with default, range and unit."""
    mode = f'[{"|".join(modes)}] ' if modes else ''
    parser = argparse.ArgumentParser(
        prog=program,
        description=summary,
        usage=f'{program} {mode}[--OPTION VALUE] [--FLAG] [--no_FLAG]',
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=34, width=100),
        add_help=False,
    )
    groups: dict[str, argparse._ArgumentGroup] = {}
    for title, option, owner in _by_group(catalog):
        group = groups.setdefault(title, parser.add_argument_group(title))
        details = ', '.join(part for part in (_describe(option), owner) if part)
        text = f'{option.help} ({details})'.replace('%', '%%')
        if option.value_type is bool:
            group.add_argument(f'--{option.name}', action='store_true', help=text)
        else:
            group.add_argument(f'--{option.name}', metavar=_metavar(option), help=text)
    return parser.format_help()


def _by_group(catalog: Catalog) -> list[tuple[str, Option, str]]:
    """(group, option, owner or '') of every option that can be set, in order of declaration."""
    rows = [
        (each.group, each, f'for {" and ".join(each.modes)}' if each.modes else '')
        for cls in catalog.always
        for each in options_of(cls)
        if each.home != DERIVED
    ]
    seen = set()
    for selector, choices in catalog.selectors.items():
        for cls in choices.values():
            for each in options_of(cls):
                if each.name not in seen:
                    seen.add(each.name)
                    owners = catalog.owners(each.name).replace(f'{selector} ', '')
                    rows.append((each.group, each, f'{selector}: {owners}'))
    return rows


def _describe(option: Option) -> str:
    """Default, unit, range and choices, for one line of help."""
    parts = [f'default {default_text(option)}', option.unit, option.range_text]
    if option.choices:
        parts.append('one of ' + ', '.join(option.choices))
    return ', '.join(part for part in parts if part)


def default_text(option: Option) -> str:
    """An option's default as a person would write it."""
    if option.default is None or option.default == ():
        return 'none'
    if isinstance(option.default, bool):
        return str(option.default).lower()
    return str(option.default)


def _metavar(option: Option) -> str:
    name = {int: 'N', float: 'X', str: 'TEXT'}[option.value_type]
    return f'{name} [{name} ...]' if option.many else name
