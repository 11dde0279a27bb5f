"""The bar of a conversion: on a terminal from the start, and nowhere else."""

from __future__ import annotations

import io
import sys

import pytest

from library.preparation.progress import announced, progress

pytestmark = pytest.mark.unit


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self):
        return True


def test_a_terminal_sees_it_before_the_first_image_is_done(monkeypatch):
    monkeypatch.setattr(sys, 'stderr', Terminal())
    with progress('converting', 200):
        assert 'converting:   0%' in sys.stderr.getvalue()
        assert ' 0/200 ' in sys.stderr.getvalue()


def test_what_has_no_end_in_sight_is_told_and_erased_however_it_ends(monkeypatch, capsys):
    with announced('listing photos'):
        pass
    assert capsys.readouterr() == ('', '')
    monkeypatch.setattr(sys, 'stderr', Terminal())
    with pytest.raises(ValueError, match='bad'), announced('listing photos'):
        assert sys.stderr.getvalue() == '\r\x1b[Klisting photos'
        raise ValueError('bad')
    assert sys.stderr.getvalue().endswith('\r\x1b[K')


def test_a_terminal_sees_images_per_second_and_the_time_left(monkeypatch):
    monkeypatch.setattr(sys, 'stderr', Terminal())
    seconds = iter(range(1000))
    monkeypatch.setattr('time.time', lambda: float(next(seconds)))
    with progress('reading', 200) as advance:
        for _ in range(2):
            advance(50)
    shown = sys.stderr.getvalue()
    assert 'reading:  50%' in shown
    assert ' 100/200 [00:0' in shown
    assert ' images/s]' in shown


def test_a_log_file_gets_nothing_and_no_bar_is_imported(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, 'tqdm', raising=False)
    with progress('reading', 200) as advance:
        advance(200)
    assert capsys.readouterr() == ('', '')
    assert 'tqdm' not in sys.modules
