"""Which files make the project: those of a clone, or of an unpacked sdist."""

from __future__ import annotations

import os
import shutil
import subprocess

from tests.conftest import ROOT

# What a used checkout has beside them, where there is no git to ask.
NOT_SOURCE = ('.git', 'out', 'dataset', '.*_cache', '.venv*', '.tools', '__pycache__', 'dist')


def source_files():
    """The files of the project as a clone has them, new ones included."""
    if (ROOT / '.git').exists():
        words = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
        done = subprocess.run(
            words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode == 0:
            names = done.stdout.split('\0')
            return {name for name in names if name and (ROOT / name).is_file()}
    left_out = shutil.ignore_patterns(*NOT_SOURCE, 'build', '*.egg-info', 'PKG-INFO', 'setup.cfg')
    found = set()
    for folder, folders, names in os.walk(ROOT):
        ignored = left_out(folder, [*folders, *names])
        folders[:] = [name for name in folders if name not in ignored]
        found |= {os.path.relpath(os.path.join(folder, n), ROOT) for n in set(names) - ignored}
    return found
