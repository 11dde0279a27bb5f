"""The flags of convert_dataset.py that ask for Beam, and what goes together with them."""

from __future__ import annotations

import pytest

import convert_dataset
from extras.beam.options import shard_writer
from extras.beam.pipeline import write_on_beam
from library.config.command_line import parse
from library.errors import ConfigError

pytestmark = pytest.mark.unit


def writer(*words):
    return shard_writer(parse(list(words), convert_dataset.CATALOG), convert_dataset.CATALOG)


def test_a_runner_writes_on_beam_with_its_options():
    chosen = writer('--runner', 'FlinkRunner', '--pipeline_options=--a=b')
    assert chosen.func is write_on_beam
    assert chosen.keywords == {'runner': 'FlinkRunner', 'pipeline_options': '--a=b'}


@pytest.mark.parametrize('words', [[], ['--workers', '2'], ['--runner', 'none']])
def test_without_a_runner_this_machine_writes(words):
    assert writer(*words) is None


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (
            ['--pipeline_options=--a=b'],
            '--pipeline_options has no effect unless --runner is given',
        ),
        (
            ['--runner', 'DirectRunner', '--workers', '2'],
            '--workers counts processes of this machine: not with --runner',
        ),
    ],
)
def test_flags_that_do_not_go_together_are_refused(words, message):
    with pytest.raises(ConfigError, match=f'^{message}$') as error:
        writer(*words)
    assert error.value.exit_code == 2


def test_choosing_beam_imports_neither_beam_nor_tensorflow(program):
    code = (
        'import sys, convert_dataset as c\n'
        'from library.config.command_line import parse\n'
        "words = parse(['--runner', 'DirectRunner'], c.CATALOG)\n"
        "assert c.EXTRAS.code('shard_writer')[0](words, c.CATALOG)\n"
        "sys.exit('tensorflow' in sys.modules or 'apache_beam' in sys.modules)\n"
    )
    assert program('-c', code).returncode == 0
