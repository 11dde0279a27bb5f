"""What a figure was measured on: without it a figure says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from PIL import features


def describe_machine() -> str:
    """Processor, cores, memory and the versions of what does the work, in three lines."""
    names = ('tensorflow', 'pillow')
    versions = [f'{name} {metadata.version(name)}' for name in names]
    return '\n'.join(
        (
            f'machine: {_processor()}, {os.cpu_count()} cores, {_memory()}, {platform.system()}',
            f'versions: python {platform.python_version()}, {", ".join(versions)}, '
            f"Pillow's libjpeg-turbo {features.version('libjpeg_turbo') or 'absent'}",
        )
    )


def _processor() -> str:
    if sys.platform == 'darwin':
        command = ['sysctl', '-n', 'machdep.cpu.brand_string']
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    cpuinfo = Path('/proc/cpuinfo')
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()


def _memory() -> str:
    if 'SC_PHYS_PAGES' not in os.sysconf_names:
        return 'memory unknown'
    return f'{os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30:.0f} GiB'
