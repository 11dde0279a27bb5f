"""What docs/make_it_yours.md says about dropping parts is all that there is to do."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from tests.shipped import AS_SHIPPED
from tests.source_files import source_files

pytestmark = [pytest.mark.unit, AS_SHIPPED]

PAGE = (ROOT / 'docs' / 'make_it_yours.md').read_text()


def section(title):
    return PAGE.partition(f'## {title}\n')[2].partition('\n## ')[0]


def removed():
    """What the page's command deletes."""
    return re.search(r'^rm -r (.*)$', section('Without the demo'), re.MULTILINE)[1].split()


def test_what_is_deleted_is_there():
    assert [name for name in removed() if not (ROOT / name).exists()] == []


def test_every_file_that_speaks_of_the_demo_is_named():
    gone = tuple(removed())
    # History, the page itself, and tests that pass without a demo.
    own = {'CHANGELOG.md', 'docs/make_it_yours.md', 'tests/test_make_it_yours.py'}
    own |= {'tests/shipped.py', 'tests/test_architecture.py', 'tests/test_set_up_files.py'}
    left = {
        name
        for name in source_files() - own
        # What an earlier build left stays as it was.
        if not name.startswith((*gone, 'tests/fixtures/'))
    }
    texts = {name: (ROOT / name).read_bytes() for name in left}
    # A page may show a run of the demo; it may not need the demo's parts.
    needed = {
        name: rb'\bmake demo|_set demo|demo\.png' for name in left if name.startswith('docs/')
    }
    speaking = {
        name for name, text in texts.items() if re.search(needed.get(name, rb'\bdemo\b'), text)
    }
    named = set(re.findall(r'`([\w./-]+)`', section('Without the demo')))
    assert speaking - named == set()
    assert {name for name in named if (ROOT / name).is_file()} - speaking == set()


def test_the_targets_are_there():
    targets = re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(), flags=re.MULTILINE)
    named = re.findall(r'^make ([a-z-]+)|`make ([a-z-]+)`', PAGE, flags=re.MULTILINE)
    assert {first or second for first, second in named} <= set(targets)
