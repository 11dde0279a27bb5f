"""Declarations of options become tables of Markdown."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from library.config.catalog import Catalog
from library.config.fields import COMMAND_LINE, PROJECT, Options, option
from scripts.options_page import options_page
from tests.library.config.trees import CATALOG

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Odd(Options, group='odd things', home=PROJECT):
    """One of each kind."""

    bare: bool = option(True, 'A switch.')
    share: float = option(0.5, 'A share | a part of *all*.', above=0, high=1, unit='parts')
    names: tuple[str, ...] = option((), 'Names <of things>.', choices=('a', 'b'))
    edge: int | None = option(None, 'An edge.', low=8, kept_with_run=True)


@dataclass(frozen=True)
class Typed(Options, group='odd things', home=COMMAND_LINE, modes=('look', 'see')):
    """Flags only."""

    places: tuple[str, ...] = option((), 'Where to look.', positional=True)


PAGE = options_page({'odd.py': Catalog((Odd, Typed), {}, {}), 'trees.py': CATALOG})


def test_a_row_tells_default_type_range_choices_unit_and_meaning():
    assert '| `--bare` | `true` | true or false | A switch. |' in PAGE
    assert '| `--share` | `0.5` | a number 0 \\< value \\<= 1, in parts | A share \\| a' in PAGE
    assert '| `--names` | `none` | several of `a`, `b` | Names \\<of things>. |' in PAGE
    assert '| `--edge` | `none` | a whole number >= 8 | An edge. Kept with the run. |' in PAGE


def test_every_row_has_the_four_cells_of_its_table():
    rows = [line.replace('\\|', '') for line in PAGE.splitlines() if line.startswith('|')]
    assert len(rows) > 15
    assert {row.count('|') for row in rows} == {5}


def test_tables_stand_under_their_program_and_group_and_say_where_the_options_go():
    odd = PAGE.partition('## odd.py\n')[2].partition('## trees.py\n')[0]
    assert odd.startswith('\n### Odd things\n\nIn a set of `project.yaml`:\n\n| option |')
    assert '\n\nFlags only:\n\n| option |' in odd
    assert odd.count('### ') == 1


def test_it_is_said_who_reads_an_option():
    row = next(line for line in PAGE.splitlines() if '`--places`' in line)
    told = 'Where to look. Only look and see. Words without a flag are its values too.'
    assert row.endswith(f' {told} |')


def test_every_option_of_every_program_has_one_row():
    for name in CATALOG.by_name:
        assert PAGE.count(f'| `--{name}` |') == 1
