"""Describe the machine that a figure was measured on."""

from __future__ import annotations

import platform

from PIL import features

from library.cores import find_cores
from library.runtime import machine


def describe_machine() -> str:
    """Name processor, cores, memory and the versions of the libraries, in two lines."""
    packages = machine.versions(('tensorflow', 'pillow'))
    listed = ', '.join(f'{name} {version or "absent"}' for name, version in packages.items())
    size = machine.memory_bytes()
    memory = 'memory unknown' if size is None else f'{size / 2**30:.0f} GiB'
    return '\n'.join(
        (
            f'machine: {machine.processor()}, {find_cores()}, {memory}, {platform.system()}',
            f"versions: {listed}, Pillow's libjpeg-turbo "
            f'{features.version("libjpeg_turbo") or "absent"}',
        )
    )
