"""How many cores a process may use, on machines that are drawn as files."""

from __future__ import annotations

import os

import pytest

from library.cores import Cores, find_cores

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine of 16 cores that nothing limits; gives what sets others."""
    monkeypatch.delenv('SLURM_CPUS_PER_TASK', raising=False)

    def of(cores, affinity=None):
        monkeypatch.setattr(os, 'cpu_count', lambda: cores)
        allowed = set(range(cores or 1)) if affinity is None else affinity
        monkeypatch.setattr(os, 'sched_getaffinity', lambda pid: allowed, raising=False)

    of(16)
    return of


@pytest.fixture
def draw(tmp_path):
    """Draws what a kernel shows: this process's cgroups, and files below their mounts."""

    def call(cgroups, **texts):
        (tmp_path / 'proc/self').mkdir(parents=True)
        (tmp_path / 'proc/self/cgroup').write_text(cgroups)
        for name, text in texts.items():
            path = tmp_path / 'sys/fs/cgroup' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return str(tmp_path)

    return call


def test_a_machine_without_limits_is_used_whole_and_gives_no_reason(tmp_path, draw):
    assert find_cores(str(tmp_path)) == Cores(16, 16)
    root = draw('0::/\n')
    assert find_cores(root) == Cores(16, 16)
    assert str(find_cores(root)) == '16 cores'


def test_a_machine_that_does_not_tell_has_one_core(tmp_path, machine):
    machine(None)
    assert find_cores(str(tmp_path)) == Cores(1, 1)


def test_affinity_limits_and_is_told(tmp_path, machine):
    machine(16, affinity={3})
    assert str(find_cores(str(tmp_path))) == '1 of 16 cores: CPU affinity'


def test_a_system_without_affinity_is_no_limit(tmp_path, monkeypatch):
    monkeypatch.delattr(os, 'sched_getaffinity')
    assert find_cores(str(tmp_path)) == Cores(16, 16)


@pytest.mark.parametrize(
    ('text', 'cores'),
    [
        ('200000 100000\n', Cores(2, 16, 'cgroup quota of 2')),
        # Two processes use all of 1.5 cores, one would not.
        ('150000 100000\n', Cores(2, 16, 'cgroup quota of 1.5')),
        ('10000 100000\n', Cores(1, 16, 'cgroup quota of 0.1')),
        ('1600000 100000\n', Cores(16, 16)),
        ('max 100000\n', Cores(16, 16)),
        ('garbage\n', Cores(16, 16)),
        ('100000 0\n', Cores(16, 16)),
    ],
)
def test_a_quota_of_version_2_is_rounded_up(draw, text, cores):
    assert find_cores(draw('0::/job\n', **{'job/cpu.max': text})) == cores


@pytest.mark.parametrize('inner', ['max 100000', '800000 100000'])
def test_the_tightest_of_nested_cgroups_counts(draw, inner):
    texts = {'a/b/c/cpu.max': inner, 'a/b/cpu.max': 'max 100000', 'a/cpu.max': '300000 100000'}
    assert find_cores(draw('0::/a/b/c\n', **texts)) == Cores(3, 16, 'cgroup quota of 3')


@pytest.mark.parametrize('path', ['/docker/0123/inner', '/../../pod/0123', '/'])
def test_a_container_sees_its_own_cgroup_where_the_path_of_the_host_leads_nowhere(draw, path):
    root = draw(f'0::{path}\n', **{'cpu.max': '400000 100000'})
    assert find_cores(root) == Cores(4, 16, 'cgroup quota of 4')


@pytest.mark.parametrize('mount', ['cpu', 'cpu,cpuacct'])
@pytest.mark.parametrize('folder', ['', '/docker', '/docker/0123'])
def test_a_quota_of_version_1_is_found_at_every_level(draw, mount, folder):
    texts = {
        f'{mount}{folder}/cpu.cfs_quota_us': '250000\n',
        f'{mount}{folder}/cpu.cfs_period_us': '100000\n',
    }
    root = draw('5:memory:/x\n4:cpu,cpuacct:/docker/0123\n0::/\n', **texts)
    assert find_cores(root) == Cores(3, 16, 'cgroup quota of 2.5')


def test_no_quota_of_version_1_is_minus_one(draw):
    texts = {'cpu/cpu.cfs_quota_us': '-1\n', 'cpu/cpu.cfs_period_us': '100000\n'}
    assert find_cores(draw('4:cpu:/\n', **texts)) == Cores(16, 16)


def test_slurm_limits_by_a_number_in_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv('SLURM_CPUS_PER_TASK', '4')
    assert str(find_cores(str(tmp_path))) == '4 of 16 cores: SLURM_CPUS_PER_TASK'
    for nothing in ('', '0', 'many', '64'):
        monkeypatch.setenv('SLURM_CPUS_PER_TASK', nothing)
        assert find_cores(str(tmp_path)) == Cores(16, 16)


def test_of_several_limits_the_tightest_decides(draw, machine, monkeypatch):
    machine(16, affinity=set(range(6)))
    monkeypatch.setenv('SLURM_CPUS_PER_TASK', '8')
    root = draw('0::/\n', **{'cpu.max': '500000 100000'})
    assert find_cores(root) == Cores(5, 16, 'cgroup quota of 5')
    monkeypatch.setenv('SLURM_CPUS_PER_TASK', '2')
    assert find_cores(root) == Cores(2, 16, 'SLURM_CPUS_PER_TASK')
