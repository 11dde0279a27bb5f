"""Names of anything as short texts."""

from __future__ import annotations

import pytest

from library.pages.short_text import end_of, printable, short_name, start_of

pytestmark = pytest.mark.unit


def test_what_cannot_be_shown_is_a_question_mark():
    assert printable('a\nb\x1b[0m caf\udce9 日本') == 'a?b?[0m caf? 日本'


def test_of_a_longer_text_start_or_end_is_kept():
    assert (start_of('abcdef', 6), end_of('abcdef', 6)) == ('abcdef', 'abcdef')
    assert (start_of('abcdef', 5), end_of('abcdef', 5)) == ('abcd…', '…cdef')
    assert (start_of('ab', 1), end_of('ab', 1)) == ('…', '…')


def test_a_name_is_both():
    assert short_name('ab\ncdef', 5) == 'ab?c…'
