"""What the page of this extra tells people to type is right."""

from __future__ import annotations

from pathlib import Path

import pytest

import run
from library.config.command_line import parse
from library.config.hparams import resolve
from tests.page_commands import commands_in

pytestmark = pytest.mark.graph

COMMANDS = commands_in((Path(__file__).resolve().parents[1] / 'README.md').read_text())


@pytest.mark.parametrize('words', COMMANDS)
def test_every_command_is_one(words):
    resolve(run.CATALOG, parse(words, run.CATALOG, tuple(run.MODES)))


def test_there_are_commands():
    assert len(COMMANDS) >= 2
