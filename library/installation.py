"""Say in one line which packages are missing, and how a program is started here."""

from __future__ import annotations

import importlib.util
import os
import sys

from library.errors import ResourceError

# What the programs import first; the lock installs these with all others.
_FIRST = ('yaml', 'etils', 'numpy', 'PIL')
# What `make setup` makes.
_PYTHON = os.path.join('.venv', 'bin', 'python')


def report_missing_packages() -> int:
    """Print one line if packages are missing from the Python that runs.

    Returns:
      0 if they are there, otherwise the exit code of a ResourceError.
    """
    missing = [name for name in _FIRST if importlib.util.find_spec(name) is None]
    if not missing:
        return 0
    program = os.path.basename(sys.argv[0])
    # Links are not followed: .venv/bin/python is one, and leads out of .venv.
    is_own = os.path.abspath(sys.executable) == os.path.abspath(_PYTHON)
    set_up = '' if os.path.exists(_PYTHON) and not is_own else '`make setup`, then '
    print(
        f'error: this Python has no {", ".join(missing)}: {set_up}`{_PYTHON} {program}`',
        file=sys.stderr,
    )
    return ResourceError.exit_code


def start_of(program: str) -> str:
    """Return the words that start a program of this folder with the Python that runs now."""
    python = os.path.relpath(sys.executable)
    return f'{sys.executable if python.startswith(os.pardir) else python} {program}'
