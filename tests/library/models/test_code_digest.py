"""Digests of code."""

from __future__ import annotations

import importlib
import itertools
import sys

import pytest

from library.models.code_digest import code_digest

pytestmark = pytest.mark.unit

CODE = 'def double(value):\n    # A reason.\n    return 2 * value\n'
HEAD = 'from {0}.colour import tint\n'
COLOUR = 'SHADE = 3\n\ndef tint(value):\n    return value + SHADE\n'


@pytest.fixture
def digest_of(tmp_path, monkeypatch):
    """Writes a package of these files, and gives the digest of `double` in its file `start`."""
    numbers = itertools.count()

    def call(start, name='double', without=(), **others):
        folder = tmp_path / f'{next(numbers)}' / 'clone'
        folder.mkdir(parents=True)
        for file, text in {'__init__': '', 'start': start, **others}.items():
            (folder / f'{file}.py').write_text(text.format('clone'))
        for loaded in [each for each in sys.modules if each.partition('.')[0] == 'clone']:
            monkeypatch.delitem(sys.modules, loaded)
        monkeypatch.syspath_prepend(folder.parent)
        importlib.invalidate_caches()
        root = getattr(importlib.import_module('clone.start'), name)
        return code_digest(root, packages=['clone'], without=without)

    yield call
    for loaded in [each for each in sys.modules if each.partition('.')[0] == 'clone']:
        del sys.modules[loaded]


def test_a_change_of_the_code_changes_the_digest(digest_of):
    assert digest_of(CODE) != digest_of(CODE.replace('2', '3'))
    assert digest_of(CODE) != digest_of(CODE + '\nOTHER = 1\n')


def test_a_comment_or_the_layout_changes_nothing(digest_of):
    other = CODE.replace('# A reason.', '# A better reason.').replace('2 * value', '2*value')
    assert digest_of(CODE) == digest_of(other)


def test_neither_order_nor_repetition_matters(digest_of):
    assert code_digest(code_digest, digest_of) == code_digest(digest_of, code_digest, code_digest)


@pytest.mark.parametrize(
    ('start', 'name'),
    [
        (HEAD + 'def double(value):\n    return tint(value)\n', 'double'),
        (HEAD + 'def double(value):\n    def inner():\n        return tint(value)\n', 'double'),
        (
            HEAD + 'def double(v):\n    return more(v)\n\ndef more(v):\n    return tint(v)\n',
            'double',
        ),
        (HEAD + 'ALL = (tint,)\n\ndef double(value):\n    return ALL[0](value)\n', 'double'),
        (
            'def double(value):\n    from {0}.colour import tint as t\n    return t(value)\n',
            'double',
        ),
        ('from {0} import colour\ndef double(value):\n    return colour.tint(value)\n', 'double'),
        ('import {0}.colour as c\ndef double(value):\n    return c.tint(value)\n', 'double'),
        ('import {0}.colour\ndef double(v):\n    return {0}.colour.tint(v)\n', 'double'),
        ('from {0}.between import t\ndef double(value):\n    return t(value)\n', 'double'),
        (HEAD + 'def double(value, by=tint):\n    return by(value)\n', 'double'),
        (HEAD + 'class Model:\n    def build(self):\n        return tint(1)\n', 'Model'),
        ('from {0}.colour import SHADE\ndef double(value):\n    return SHADE * value\n', 'double'),
    ],
)
def test_what_the_code_names_in_another_file_counts(digest_of, start, name):
    between = {'between': 'from {0}.colour import tint as t\n'}
    before = digest_of(start, name, colour=COLOUR, **between)
    assert digest_of(start, name, colour=COLOUR, **between) == before
    assert digest_of(start, name, colour=COLOUR.replace('3', '4'), **between) != before


def test_what_the_code_does_not_name_does_not_count(digest_of):
    start = HEAD + CODE + 'def other():\n    return tint(1)\n'
    before = digest_of(start, colour=COLOUR)
    assert digest_of(start, colour=COLOUR.replace('3', '4')) == before


def test_a_module_can_be_left_out(digest_of):
    start = HEAD + 'def double(value):\n    return tint(value)\n'
    flags = {'without': ['clone.colour']}
    before = digest_of(start, colour=COLOUR, **flags)
    assert digest_of(start, colour=COLOUR.replace('3', '4'), **flags) == before


def test_what_lies_outside_of_the_packages_does_not_count(digest_of):
    start = 'import json\nfrom numpy import zeros\n' + CODE.replace('2 *', 'json.dumps(zeros(1)) *')
    assert digest_of(start) == digest_of(start)
    assert digest_of(start) != digest_of(CODE)


def test_functions_that_call_each_other_end():
    assert code_digest(_even) == code_digest(_odd)


def _even(number):
    return number == 0 or _odd(number - 1)


def _odd(number):
    return number > 0 and _even(number - 1)
