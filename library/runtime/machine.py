"""Describe the machine, the packages and the code that a figure comes from; no TensorFlow."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from library.cores import find_cores

PACKAGES = ('tensorflow', 'tensorflow-hub', 'numpy', 'pillow')
# A driver or a network disk may hang; a run must start all the same.
TIMEOUT_SECONDS = 10.0
_OF_GIT_HOOKS = ('GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE')


def describe() -> dict[str, Any]:
    """Return what a run's log says of machine, packages and code, as JSON can hold it.

    The machine's name in its network is not among it.
    """
    memory, cores = memory_bytes(), find_cores()
    return {
        'system': platform.system(),
        'processor': processor(),
        'cores': cores.machine,
        'usable_cores': cores.usable,
        'memory_gib': None if memory is None else round(memory / 2**30, 1),
        'gpus': gpus(),
        'versions': versions(PACKAGES),
        'git': git_state(Path(__file__).resolve()),
    }


def processor() -> str:
    """Return the processor's name, or its kind where the system does not tell more."""
    if sys.platform == 'darwin':
        return _output(['sysctl', '-n', 'machdep.cpu.brand_string']) or platform.machine()
    cpuinfo = Path('/proc/cpuinfo')
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()


def memory_bytes() -> int | None:
    """Return the machine's memory in bytes; None where the system does not tell."""
    if 'SC_PHYS_PAGES' not in os.sysconf_names:
        return None
    return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')


def gpus() -> list[dict[str, Any]]:
    """Name and memory of each NVIDIA GPU, as its driver tells; [] without a driver."""
    query = ['nvidia-smi', '--query-gpu=name,memory.total', '--format=csv,noheader,nounits']
    found = []
    for line in (_output(query) or '').splitlines():
        name, _, mebibytes = line.rpartition(',')
        memory = mebibytes.strip()
        # The driver writes [N/A] where memory is the machine's own.
        gib = round(int(memory) / 1024, 1) if memory.isdecimal() else None
        found.append({'name': name.strip(), 'memory_gib': gib})
    return found


def versions(packages: Sequence[str]) -> dict[str, str | None]:
    """Look up the versions of Python and of installed packages; None for one that is not there."""
    found: dict[str, str | None] = {'python': platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def git_state(file: Path) -> dict[str, Any] | None:
    """Return the commit of a file's working copy, and whether the files there differ from it.

    Args:
      file: one that the commit may hold. A package that was installed into a folder inside some
        other repository is no file of that one.

    Returns:
      {'commit': 40 hex digits, 'dirty': bool}; files that git ignores do not count. None without
      git, for a file that git does not track, before the first commit, or if git takes too long.
    """
    command = ['git', '-C', str(file.parent)]
    if _output([*command, 'ls-files', '--error-unmatch', '--', file.name]) is None:
        return None
    commit = _output([*command, 'rev-parse', '--verify', 'HEAD'])
    changed = _output([*command, 'status', '--porcelain']) if commit else None
    return None if changed is None else {'commit': commit, 'dirty': bool(changed)}


def _output(command: Sequence[str]) -> str | None:
    """Run a program and return what it prints; None if it is missing, fails or takes too long."""
    if shutil.which(command[0]) is None:
        return None
    # Where a git hook started us, its variables name its own repository. Reading takes no locks.
    environment = {name: value for name, value in os.environ.items() if name not in _OF_GIT_HOOKS}
    try:
        done = subprocess.run(
            command,
            env=environment | {'GIT_OPTIONAL_LOCKS': '0'},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors='replace',
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
