"""What stands under every figure."""

from __future__ import annotations

import re

import pytest

from benchmarks.machine import describe_machine
from library.cores import find_cores
from library.runtime import machine

pytestmark = pytest.mark.unit


def test_machine_and_versions_take_a_line_each():
    first, second = describe_machine().splitlines()
    assert re.fullmatch(rf'machine: .+, {re.escape(str(find_cores()))}, \d+ GiB, \w+', first)
    assert re.fullmatch(
        r"versions: python 3\.11\.\d+, tensorflow 2\.15\.1, pillow [\d.]+, Pillow's libjpeg-turbo "
        r'(absent|[\d.]+)',
        second,
    )


def test_what_the_system_does_not_tell_is_said_to_be_unknown(monkeypatch):
    monkeypatch.setattr(machine, 'memory_bytes', lambda: None)
    assert ' cores, memory unknown, ' in describe_machine()
