"""Write docs/options.md from the declarations of all options: `make docs`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import convert_dataset
from library import files
from library.config.catalog import Catalog
from library.config.fields import COMMAND_LINE, Option
from project.options import CATALOG

PAGE = Path(__file__).resolve().parents[1] / 'docs' / 'options.md'
_HEAD = """\
# Every option

Written by `make docs` from the declarations in the code: change those, not this page. Each option
is a flag of its program (`--train_epochs 10`; `--xla`, `--no_xla`); in a table "in a set" it is a
key of that file too. A default counts where neither a set nor the command line gives a value; the
sets `default` that come with the project give some. `none` is a value too. What is kept with
the run is taken from there by the modes that work on one.
"""
_KEPT = 'Kept with the run.'
_BARE = 'Words without a flag are its values too.'
_ONE_WORD = 'A word without a flag is its value too.'


def options_page(programs: Mapping[str, Catalog]) -> str:
    """Write the page about all options of some programs, in the groups of --help.

    Args:
      programs: by name, each with its options.
    """
    parts = [_HEAD]
    for program, catalog in programs.items():
        parts.append(f'## {program}\n')
        groups: dict[str, dict[str, list[str]]] = {}
        for option, owner in catalog.with_owners():
            rows = groups.setdefault(option.group, {}).setdefault(option.home, [])
            rows.append(_row(option, owner))
        for group, homes in groups.items():
            parts.append(f'### {group[:1].upper()}{group[1:]}\n')
            for home, rows in homes.items():
                where = 'Flags only:' if home == COMMAND_LINE else f'In a set of `{home}`:'
                head = ['| option | default | takes | what it is |', '|---|---|---|---|']
                parts.append('\n'.join([where, '', *head, *rows, '']))
    return '\n'.join(parts)


def _row(option: Option, owner: str) -> str:
    notes = [f'Only {owner.removeprefix("for ")}.' if owner else '']
    bare = _BARE if option.many else _ONE_WORD
    notes += [bare if option.positional else '', _KEPT if option.kept_with_run else '']
    text = ' '.join(part for part in (option.help, *notes) if part)
    cells = (f'`--{option.name}`', f'`{option.default_text}`', _takes(option), _plain(text))
    return f'| {" | ".join(cells)} |'


def _takes(option: Option) -> str:
    """Return type, range or choices, and unit."""
    if option.choices:
        several = 'several of ' if option.many else ''
        return several + ', '.join(f'`{choice}`' for choice in option.choices)
    kind = option.type_name.replace(' (or several, with commas)', ' or several')
    words = f'{kind} {option.range_text}'.strip()
    return _plain(f'{words}, in {option.unit}' if option.unit else words)


def _plain(text: str) -> str:
    """Escape what Markdown would take for markup."""
    for sign in '|*<':
        text = text.replace(sign, f'\\{sign}')
    return text


def current_page() -> str:
    """Give the page as the declarations have it now."""
    return options_page({'run.py': CATALOG, 'convert_dataset.py': convert_dataset.CORE})


if __name__ == '__main__':
    files.write_atomically(str(PAGE), current_page().encode())
