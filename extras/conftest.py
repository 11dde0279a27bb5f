"""Lend the tests of extras what those in tests/ have."""

from tests.conftest import data_dir, launch, module_dir, program, write

__all__ = ['data_dir', 'launch', 'module_dir', 'program', 'write']
