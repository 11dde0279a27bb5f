"""Tell how many cores this process may use, which may be fewer than the machine has.

Schedulers and containers hand out a part of a machine: by the processors that a process may run on
(taskset, cpusets), by a share of processor time (cgroup quotas, as Docker and Kubernetes set them),
or by a number in the environment (Slurm). More processes than that only take turns.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SLURM = 'SLURM_CPUS_PER_TASK'


@dataclass(frozen=True)
class Cores:
    """How many cores this process may use, of how many, and what says so ('': the machine)."""

    usable: int
    machine: int
    reason: str = ''

    def __str__(self) -> str:
        """Return a line for people, such as `16 cores` or `1 of 16 cores: CPU affinity`."""
        if not self.reason:
            return f'{self.machine} cores' if self.machine > 1 else '1 core'
        return f'{self.usable} of {self.machine} cores: {self.reason}'


def find_cores(root: str = '/') -> Cores:
    """Return the cores that the tightest limit leaves, at least one.

    A quota of 1.5 cores makes two: two processes use all of it, taking short breaks, where a single
    one would leave a third of it unused.

    Args:
      root: folder that holds proc/self/cgroup and sys/fs/cgroup.
    """
    machine = os.cpu_count() or 1
    limits = [(machine, '')]
    if hasattr(os, 'sched_getaffinity'):
        limits.append((len(os.sched_getaffinity(0)), 'CPU affinity'))
    quota = min(_quotas(Path(root)), default=math.inf)
    if quota < machine:
        limits.append((max(1, math.ceil(quota)), f'cgroup quota of {quota:g}'))
    slurm = os.environ.get(SLURM, '')
    if slurm.isdecimal() and int(slurm):
        limits.append((int(slurm), SLURM))
    # The first of equal limits: a machine that nothing limits gives no reason.
    usable, reason = min(limits, key=lambda limit: limit[0])
    return Cores(usable, machine, reason)


def count_cores() -> int:
    """Return how many cores this process may use; see `find_cores`."""
    return find_cores().usable


def _quotas(root: Path) -> Iterator[float]:
    """Yield the quotas of this process's cgroup and of all that it lies in, in cores."""
    for folder in _cgroups(root):
        try:
            if (folder / 'cpu.max').exists():
                quota, period = (folder / 'cpu.max').read_text().split()
            else:
                quota = (folder / 'cpu.cfs_quota_us').read_text()
                period = (folder / 'cpu.cfs_period_us').read_text()
            # 'max' and -1 are no limits.
            if int(quota) > 0:
                yield int(quota) / int(period)
        except (OSError, ValueError, ZeroDivisionError):
            continue


def _cgroups(root: Path) -> Iterator[Path]:
    """Yield the folders of this process's cgroup of either version, up to where it is mounted.

    In a container they may be mounted from its own on, while their path is told from the host's
    root: then the folders of that path are missing, and the mount itself is the container's.
    """
    try:
        lines = (root / 'proc/self/cgroup').read_text().splitlines()
    except OSError:
        return
    mounts = root / 'sys/fs/cgroup'
    for line in lines:
        controllers, _, path = line.partition(':')[2].partition(':')
        if controllers and 'cpu' not in controllers.split(','):
            continue
        inner = PurePosixPath(path.lstrip('/'))
        for mount in {mounts / controllers, mounts / 'cpu'} if controllers else {mounts}:
            yield from (mount / each for each in (inner, *inner.parents))
