"""Copy the clone that is tested, to delete extras from the copy."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from library.extras import find_extras
from tests.conftest import ROOT
from tests.source_files import source_files

EXTRAS = {extra.name: extra for extra in find_extras().all}
BARE = ('an empty folder extras', 'no folder extras')


def copy_clone(folder: Path) -> Path:
    """Copy all files of the clone into a folder, and link its environment."""
    for name in source_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    if (ROOT / '.venv').is_dir():
        (folder / '.venv').symlink_to(ROOT / '.venv')
    return folder


def copy_bare_clone(folder: Path, left: str) -> Path:
    """Copy the clone without any extra; `left` is one of BARE."""
    copy_clone(folder)
    for name in EXTRAS:
        shutil.rmtree(folder / 'extras' / name)
    if left == 'no folder extras':
        shutil.rmtree(folder / 'extras', ignore_errors=True)
    return folder


def assert_green(done: subprocess.CompletedProcess[str]) -> str:
    """Assert that a program ended well; return what it printed."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
