"""Give the tests of the extras the fixtures of the core."""

from __future__ import annotations

from tests.conftest import (
    data_dir,
    launch,
    made_once,
    module_dir,
    program,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_ignore_collect,
    pytest_make_collect_report,
    pytest_runtest_call,
    pytest_runtest_protocol,
    trained_copy,
    wide_data_dir,
    write,
)

__all__ = [
    'data_dir',
    'launch',
    'made_once',
    'module_dir',
    'program',
    'pytest_collection_modifyitems',
    'pytest_configure',
    'pytest_ignore_collect',
    'pytest_make_collect_report',
    'pytest_runtest_call',
    'pytest_runtest_protocol',
    'trained_copy',
    'wide_data_dir',
    'write',
]
