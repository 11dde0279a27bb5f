"""Give the tests of the extras what those of the core have, also where they run alone."""

from __future__ import annotations

from tests.conftest import (
    data_dir,
    launch,
    module_dir,
    program,
    pytest_collection_modifyitems,
    pytest_configure,
    trained_copy,
    write,
)

__all__ = [
    'data_dir',
    'launch',
    'module_dir',
    'program',
    'pytest_collection_modifyitems',
    'pytest_configure',
    'trained_copy',
    'write',
]
