"""Parse argv to a mode and written values, and write --help from the same options.

Every option is a flat flag: `--learning_rate 1e-4`, `--learning-rate=1e-4`. Booleans take no
separate value: `--xla`, `--no_xla`, `--xla=false`. Several values, of one flag or a repeated one,
add up. Names are never shortened. The mode is only looked for in the first place, so that no value
can be taken for it. Options that are declared positional may be given as words without a flag.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from library.config.catalog import Catalog
from library.config.fields import Option
from library.config.yaml_sets import Written
from library.errors import ConfigError
from library.extras import missing_extra
from library.suggestions import nearest_or_all

ORIGIN = 'command line'


@dataclass(frozen=True)
class CommandLine:
    """What was asked for, as text; `typed_mode` is None where the mode was left out."""

    mode: str
    values: dict[str, Written]
    wants_help: bool
    typed_mode: str | None = None


def parse(argv: Sequence[str], catalog: Catalog, modes: Sequence[str] = ()) -> CommandLine:
    """Read the command line.

    Args:
      argv: the words after the program's name.
      catalog: the options there are.
      modes: the legal first words; the first of them is the default. () for a program without.

    Raises:
      ConfigError: an unknown mode or flag, a flag without its value or given twice, a stray word.
    """
    words = list(argv)
    mode, typed_mode = modes[0] if modes else '', None
    if modes and words and not words[0].startswith('-'):
        mode = typed_mode = words.pop(0)
        if mode not in modes:
            if extra := missing_extra(mode):
                raise ConfigError(
                    f'{mode}: is a mode of extras/{extra}, which this clone does not have'
                )
            raise ConfigError(f'unknown mode {mode!r}{nearest_or_all(mode, modes)}')
    positional = [each for each in catalog.by_name.values() if _takes_words(each, mode)]
    places = list(positional)
    values: dict[str, Written] = {}
    wants_help = False
    while words:
        word = words.pop(0)
        if word in ('-h', '--help'):
            wants_help = True
            continue
        if places and places[0].many and not word.startswith('--'):
            before = values.get(places[0].name, Written((), ORIGIN))
            values[places[0].name] = Written(_added(places[0], before, (word,)), ORIGIN)
            continue
        if places and not word.startswith('-'):
            if any(each.name in values for each in places):
                raise ConfigError(_mixed(word, positional))
            values[places.pop(0).name] = Written(word, ORIGIN)
            continue
        if not word.startswith('--'):
            hint = '; the mode comes first' if word in modes else ''
            if word.lower() in ('true', 'false'):
                hint = f'; write --FLAG={word}'
            raise ConfigError(f'stray word {word!r} on the command line{hint}')
        option, text = _flag(word, words, catalog)
        if option.name in values and not option.many:
            raise ConfigError(f'--{option.name} is given twice')
        values[option.name] = Written(_added(option, values.get(option.name), text), ORIGIN)
    if 0 < len(places) < len(positional):
        raise ConfigError(_mixed(str(values[positional[0].name].text), positional))
    return CommandLine(mode, values, wants_help, typed_mode)


def _takes_words(option: Option, mode: str) -> bool:
    return option.positional and (not option.modes or mode in option.modes)


def _mixed(word: str, positional: Sequence[Option]) -> str:
    """Return what is wrong with a word, where some options are given as words and some as flags."""
    names = ' '.join(each.name.upper() for each in positional)
    flags = ' and '.join(f'--{each.name}' for each in positional)
    return f'{word!r}: give {names} as words, or {flags}, not one of each'


def _added(
    option: Option, before: Written | None, text: str | tuple[str, ...]
) -> str | tuple[str, ...]:
    """Add a value to what earlier words and flags gave to an option of several values."""
    if before is None:
        return text
    parts = (option.parts_of(t) if isinstance(t, str) else t for t in (before.text, text))
    return tuple(itertools.chain(*parts))


def _flag(word: str, rest: list[str], catalog: Catalog) -> tuple[Option, str | tuple[str, ...]]:
    """Read one flag and its value, taken from `rest` where it is not in the word itself."""
    name, equals, text = word[2:].partition('=')
    name = name.replace('-', '_')
    positive = name.removeprefix('no_')
    if name not in catalog.by_name and positive in catalog.by_name and positive != name:
        option = catalog.by_name[positive]
        if option.value_type is bool and not equals:
            return option, 'false'
        raise ConfigError(f'--{name}: only a flag without a value can be switched off so')
    option = catalog.find(name, f'--{name}')
    if option.many:
        # What a script leaves empty by mistake, such as a limit, must not silently mean nothing.
        several = option.parts_of(text) if equals else _following(option, rest)
        if not several:
            raise ConfigError(f'--{name} needs a value: {option.type_name}; for no value, none')
        return option, text if equals else 'none' if several == ['none'] else tuple(several)
    if equals:
        return option, text
    if option.value_type is bool:
        return option, 'true'
    if not rest or (rest[0].startswith('--') and len(rest[0]) > 2):
        raise ConfigError(f'--{name} needs a value: {option.type_name}')
    return option, rest.pop(0)


def _following(option: Option, rest: list[str]) -> list[str]:
    """Return the values in the words up to the next flag, taken from `rest`."""
    several = []
    while rest and not rest[0].startswith('--'):
        several += option.parts_of(rest.pop(0))
    return several


def help_text(
    program: str,
    summary: str,
    catalog: Catalog,
    modes: Sequence[str] = (),
    of_mode: str | None = None,
) -> str:
    """Write the text of --help: options in groups, with default, range and unit.

    Args:
      program: its name.
      summary: what it does.
      catalog: the options there are.
      modes: the legal first words.
      of_mode: leaves out what only other modes read, and begins with what this one alone reads;
        None shows all.
    """
    # Late: only --help needs it.
    import argparse

    mode = f'[{"|".join(modes)}] ' if modes else ''
    words = [each.name.upper() for each in catalog.by_name.values() if _takes_words(each, '')]
    mode += f'[{" ".join(words)}] ' if words else ''
    parser = argparse.ArgumentParser(
        prog=program,
        description=summary,
        usage=f'{program} {mode}[--OPTION VALUE] [--FLAG] [--no_FLAG]',
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=34, width=100),
        add_help=False,
    )
    groups: dict[str, argparse._ArgumentGroup] = {}
    rows = catalog.with_owners()
    if of_mode is not None:
        rows = [row for row in rows if not row[0].modes or of_mode in row[0].modes]
        rows.sort(key=lambda row: not row[0].modes)
    for option, owner in rows:
        group = groups.setdefault(option.group, parser.add_argument_group(option.group))
        details = ', '.join(part for part in (_describe(option), owner) if part)
        text = f'{option.help} ({details})'.replace('%', '%%')
        if option.value_type is bool:
            group.add_argument(f'--{option.name}', action='store_true', help=text)
        else:
            group.add_argument(f'--{option.name}', metavar=_metavar(option), help=text)
    return parser.format_help()


def _describe(option: Option) -> str:
    """Describe default, unit, range and choices, for one line of help."""
    parts = [f'default {option.default_text}', option.unit, option.range_text]
    if option.choices:
        parts.append('one of ' + ', '.join(option.choices))
    return ', '.join(part for part in parts if part)


def _metavar(option: Option) -> str:
    name = {int: 'N', float: 'X', str: 'TEXT'}[option.value_type]
    return f'{name} [{name} ...]' if option.many else name
