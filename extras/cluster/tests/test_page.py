"""What the page of the cluster tells people to type works as it stands."""

from __future__ import annotations

import re
import shlex

import pytest

from extras.cluster.local_cluster import parser
from extras.cluster.options import ClusterOptions
from library.config.command_line import parse
from library.config.fields import options_of
from library.config.hparams import resolve
from run import CATALOG, MODES
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

PAGE = ROOT / 'extras' / 'cluster' / 'README.md'
TEXT = PAGE.read_text()


def test_the_table_names_every_option_of_the_extra():
    rows = re.findall(r'^\| `--(\w+)` \|', TEXT, flags=re.MULTILINE)
    assert sorted(rows) == sorted(each.name for each in options_of(ClusterOptions))


def test_every_option_on_the_page_is_one():
    ours = set(CATALOG.by_name) | set(vars(parser().parse_args([])))
    assert sorted(set(re.findall(r'--(\w+)', TEXT)) - ours) == []


def test_every_link_leads_somewhere():
    links = re.findall(r'\]\(((?!http)[\w/.]+)\)', TEXT)
    assert len(links) >= 3
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


def test_the_command_on_the_page_is_one(monkeypatch):
    monkeypatch.chdir(ROOT)
    (block,) = re.findall(r'^```bash\n(.*?)^```', TEXT, flags=re.MULTILINE | re.DOTALL)
    words = shlex.split(block)
    place = words.index('--')
    assert words[:3] == ['python', '-m', 'extras.cluster.local_cluster']
    assert parser().parse_args(words[3:place]).workers == 1
    program, *command = words[place + 1 :]
    assert program == 'run.py'
    resolve(CATALOG, parse(command, CATALOG, list(MODES)))
