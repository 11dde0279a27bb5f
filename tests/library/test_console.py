"""Lines stand alone on a terminal, and follow one another in a log."""

from __future__ import annotations

import io

import pytest

from library.console import log, redraw

pytestmark = pytest.mark.graph


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal():
    return Screen()


def test_a_message_replaces_the_line_on_a_terminal(terminal):
    stream = io.StringIO()
    log('hello', terminal)
    log('hello', stream)
    assert terminal.getvalue() == '\r\033[Khello\n'
    assert stream.getvalue() == 'hello\n'


def test_a_message_goes_to_stdout(capsys):
    log('hello')
    assert capsys.readouterr() == ('hello\n', '')


def test_a_line_is_drawn_over_the_one_before_and_a_message_over_both(terminal):
    for text in ('step 1', 'step 2'):
        redraw(text, terminal)
    log('saved', terminal)
    assert terminal.getvalue() == '\r\033[Kstep 1\r\033[Kstep 2\r\033[Ksaved\n'


def test_a_log_keeps_all_lines():
    stream = io.StringIO()
    for text in ('step 1', 'step 2'):
        redraw(text, stream)
    assert stream.getvalue() == 'step 1\nstep 2\n'
