"""What the options of the input pipeline say together."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from library.config.catalog import Catalog
from library.config.command_line import parse
from library.config.fields import PROJECT, Options, option
from library.config.hparams import resolve
from library.inputs.options import is_offloaded
from project.options import CATALOG

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class FarmOptions(Options, group='data', home=PROJECT):
    """What some extra declares."""

    farm: str | None = option(None, 'Where batches are prepared.', offloads=True)
    barn: str | None = option(None, 'Where something else is.')


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        ([], False),
        (['--farm', 'far:1'], True),
        (['--barn', 'far:1'], False),
        (['--farm', 'far:1', '--use_synthetic_data'], False),
    ],
)
def test_any_option_that_is_declared_so_sends_the_work_away(write, words, expected):
    empty = [f'--{name}_file={write("default:", name)}' for name in ('config', 'hyperparameter')]
    catalog: Catalog = CATALOG.extended((FarmOptions,), {})
    assert is_offloaded(resolve(catalog, parse([*words, *empty], catalog))) is expected
