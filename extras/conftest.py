"""Give the tests of the extras what those of the core have."""

from __future__ import annotations

from tests.conftest import data_dir, launch, module_dir, program, write

__all__ = ['data_dir', 'launch', 'module_dir', 'program', 'write']
