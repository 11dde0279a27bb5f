"""Warnings that are off in one thread must come back after the last."""

from __future__ import annotations

import io
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from library.preparation.encoding_options import EncodingOptions
from library.preparation.formats import RejectedImage
from library.preparation.unwarned import Unwarned
from library.preparation.workers import prepare


def test_warnings_are_off_until_the_last_leaves():
    unwarned = Unwarned()
    before = list(warnings.filters)
    first, second = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    with first, second:
        first.submit(unwarned.__enter__).result(60)
        second.submit(unwarned.__enter__).result(60)
        first.submit(unwarned.__exit__, None, None, None).result(60)
        warnings.warn('not heard', UserWarning, stacklevel=1)
        second.submit(unwarned.__exit__, None, None, None).result(60)
    assert warnings.filters == before
    with pytest.warns(UserWarning, match='heard'):
        warnings.warn('heard', UserWarning, stacklevel=1)


def test_reasons_are_the_same_in_many_threads_as_in_one():
    file = io.BytesIO()
    Image.new('RGB', (20, 20)).save(file, 'PNG')
    png = file.getvalue()
    # A header that Pillow starts to read and gives up: the reason is in a warning.
    bad = [png[:16] + bytes([n % 7]) * 5 + png[21:] for n in range(20)] + [b'<html>', png] * 10
    encoding, before = EncodingOptions(32), list(warnings.filters)
    alone = [_text(prepare(each, encoding)) for each in bad]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda each: _text(prepare(each, encoding)), bad * 20))
    assert any(text.startswith('cannot be read') for text in alone)
    assert together == alone * 20
    assert warnings.filters == before


def _text(outcome):
    return str(outcome) if isinstance(outcome, RejectedImage) else 'fine'
