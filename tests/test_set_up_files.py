"""Locks, environment, Makefile and the two YAML files keep what they promise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from library.config.fields import HYPERPARAMETERS, PROJECT, options_of
from project.options import CATALOG
from tests.shipped import AS_SHIPPED

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[1]
LOCKS = (
    'requirements',
    'requirements-dev',
    'requirements-cuda',
    'requirements-beam',
    'requirements-uv',
)
SET_FILES = (PROJECT, HYPERPARAMETERS)


def text_of(name):
    return (ROOT / name).read_text()


def requirements_of(name):
    """The requirements of a lock or .in file, one string each, comments and continuations gone."""
    text = re.sub(r'(^|\s)#.*', '', text_of(name))
    lines = text.replace('\\\n', ' ').splitlines()
    return [' '.join(line.split()) for line in lines if line.strip() and not line.startswith('-r')]


def package_of(requirement):
    return re.match(r'[\w.-]+', requirement)[0].lower().replace('_', '-')


def pins_of(lock):
    """Package -> its pinned versions; platforms may differ, then there are several."""
    pins = {}
    for requirement in requirements_of(f'{lock}.txt'):
        version = re.match(r'[\w.-]+==(\S+)', requirement)[1]
        pins.setdefault(package_of(requirement), set()).add(version)
    return pins


def set_up_files():
    names = ['Makefile', 'pyproject.toml', 'setup.py', 'environment.yaml', *map(str, scripts())]
    names += ['.pre-commit-config.yaml', '.github/workflows/ci.yml']
    return sorted([*names, *(path.name for path in ROOT.glob('requirements*'))])


def scripts():
    return [path.relative_to(ROOT) for path in (ROOT / 'scripts').iterdir() if path.is_file()]


@pytest.mark.parametrize('name', set_up_files())
def test_no_address_of_a_registry_is_written_down(name):
    found = re.findall(r'://|index-url|find-links|trusted-host|pypi', text_of(name))
    assert found == []


@pytest.mark.parametrize('lock', LOCKS)
def test_every_line_of_a_lock_is_pinned_and_hashed(lock):
    requirements = requirements_of(f'{lock}.txt')
    assert requirements
    for requirement in requirements:
        head, _, hashes = requirement.partition(' --hash=')
        assert re.fullmatch(r'[\w.-]+==[\w.]+( ; .+)?', head), requirement
        assert re.fullmatch(r'sha256:[0-9a-f]{64}( --hash=sha256:[0-9a-f]{64})*', hashes), head


def test_the_lock_for_development_holds_the_pins_of_a_run():
    run, development = pins_of('requirements'), pins_of('requirements-dev')
    assert {package: development.get(package) for package in run} == run


def test_the_lock_for_cuda_holds_the_pins_of_a_run():
    run, cuda = pins_of('requirements'), pins_of('requirements-cuda')
    elsewhere = {package_of(each) for each in requirements_of('requirements.txt') if ' ; ' in each}
    assert set(run) - set(cuda) <= elsewhere
    assert {
        p: versions for p, versions in cuda.items() if not versions <= run.get(p, versions)
    } == {}


def test_the_lock_for_cuda_brings_nvidias_libraries():
    extra = set(pins_of('requirements-cuda')) - set(pins_of('requirements'))
    assert extra
    assert all(package.startswith('nvidia-') for package in extra)


def test_the_lock_for_beam_leaves_the_pins_of_a_run_only_where_beam_must():
    run, beam = pins_of('requirements'), pins_of('requirements-beam')
    # setuptools is held for tensorflow-hub, which a conversion does not need.
    held_back = {'pillow', 'python-dateutil', 'setuptools'}
    assert {p for p in run.keys() & beam.keys() if run[p] != beam[p]} <= held_back


def test_the_lock_for_beam_has_tensorflow_for_every_platform_of_a_run():
    run, beam = (
        {each for each in requirements_of(f'{lock}.in') if re.match('tensorflow(?!-hub)', each)}
        for lock in ('requirements', 'requirements-beam')
    )
    assert len(run) == 5
    assert beam == run


@pytest.fixture
def set_up(tmp_path):
    """Runs scripts/set_up.sh in a copy of the locks, with an installer that only takes notes."""
    notes = tmp_path / 'notes'
    for name in (path.name for path in ROOT.glob('requirements*.txt')):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / 'scripts').mkdir()
    shutil.copy(ROOT / 'scripts/set_up.sh', tmp_path / 'scripts')
    uv = tmp_path / '.tools/bin/uv'
    uv.parent.mkdir(parents=True)
    uv.write_text(
        '#!/bin/sh\necho "$@" >> notes\n'
        'if [ "$1" = venv ]; then for folder; do :; done; mkdir -p "$folder/bin"\n'
        'touch "$folder/bin/python"; chmod +x "$folder/bin/python"; fi\n'
    )
    uv.chmod(0o755)
    known = (tmp_path / 'requirements-uv.txt').read_bytes()
    stamp = subprocess.run(
        ['cksum'], input=known, capture_output=True, check=True, timeout=60
    ).stdout
    (tmp_path / '.tools/stamp').write_bytes(stamp)

    def call(*args):
        notes.write_text('')
        subprocess.run(['sh', 'scripts/set_up.sh', *args], cwd=tmp_path, check=True, timeout=60)
        return notes.read_text().splitlines()

    return call


def test_set_up_builds_one_environment_from_the_lock_for_development(set_up, tmp_path):
    made, installed = set_up()
    assert made.endswith(' .venv')
    assert installed.endswith('--require-hashes --python .venv/bin/python requirements-dev.txt')
    assert set_up() == []
    assert not (tmp_path / '.venv-beam').exists()


def test_set_up_for_beam_builds_a_second_environment_and_leaves_the_first(set_up, tmp_path):
    made, installed = set_up('--beam')
    assert made.endswith(' .venv-beam')
    assert installed.endswith(
        '--require-hashes --python .venv-beam/bin/python requirements-beam.txt'
    )
    assert set_up('--beam') == []
    assert not (tmp_path / '.venv').exists()
    assert len(set_up()) == 2


@pytest.mark.parametrize('lock', LOCKS)
def test_what_is_asked_for_is_in_the_lock(lock):
    pins = pins_of(lock)
    wanted = requirements_of(f'{lock}.in')
    assert wanted
    for requirement in wanted:
        assert package_of(requirement) in pins
        version = re.search(r'==([\w.]+)', requirement)
        if version and ' ; ' not in requirement:
            assert pins[package_of(requirement)] == {version[1]}


def test_conda_brings_the_python_and_pip_the_same_lock():
    environment = yaml.safe_load(text_of('environment.yaml'))
    assert environment['dependencies'] == [
        'python=3.11',
        'pip',
        {'pip': ['--require-hashes', '-r requirements.txt']},
    ]


def test_one_python_is_named_everywhere():
    assert 'requires-python = "==3.11.*"' in text_of('pyproject.toml')
    assert '--python 3.11' in text_of('scripts/set_up.sh')
    assert '--python-version 3.11' in text_of('scripts/lock.sh')


def test_make_help_lists_every_target():
    # Inside `make test` the outer make would speak through these.
    env = {name: value for name, value in os.environ.items() if not name.startswith('M')}
    done = subprocess.run(
        ['make', 'help'], cwd=ROOT, env=env, capture_output=True, text=True, check=True, timeout=60
    )
    phony = re.search(r'^\.PHONY: (.*)$', text_of('Makefile'), re.MULTILINE)[1].split()
    assert [line.split()[0] for line in done.stdout.splitlines()] == phony
    assert all(len(line.split()) > 1 for line in done.stdout.splitlines())


def test_git_checks_a_commit_by_our_own_command_and_fetches_nothing():
    (repository,) = yaml.safe_load(text_of('.pre-commit-config.yaml'))['repos']
    assert repository['repo'] == 'local'
    assert [(hook['entry'], hook['language']) for hook in repository['hooks']] == [
        ('make lint', 'system')
    ]


def test_a_clone_on_windows_keeps_the_line_ends_of_linux(tmp_path):
    def git(*words):
        done = subprocess.run(
            ['git', *words], cwd=tmp_path, capture_output=True, check=True, timeout=60
        )
        return done.stdout.decode()

    git('init', '--quiet')
    shutil.copy(ROOT / '.gitattributes', tmp_path)
    script, picture = b'#!/bin/sh\necho\n', b'\x89PNG\r\n\x1a\n'
    (tmp_path / 'script.sh').write_bytes(script)
    (tmp_path / 'picture.png').write_bytes(picture)
    git('add', '.')
    git('-c', 'core.autocrlf=true', 'checkout-index', '--prefix=windows/', '--all')
    assert (tmp_path / 'windows' / 'script.sh').read_bytes() == script
    assert (tmp_path / 'windows' / 'picture.png').read_bytes() == picture


def test_the_packages_that_ci_keeps_are_those_of_the_locks():
    jobs = yaml.safe_load(text_of('.github/workflows/ci.yml'))['jobs']
    assert jobs
    for job in jobs.values():
        (kept,) = (
            step for step in job['steps'] if step.get('uses', '').startswith('actions/cache')
        )
        assert "hashFiles('requirements*.txt')" in kept['with']['key']


def test_the_remote_checks_are_those_of_a_person():
    lines = [line for line in text_of('.ci/run').splitlines() if line and line[0] != '#']
    assert [line for line in lines if not line.startswith(('set ', 'cd '))] == [
        'make lint',
        'make test-all',
    ]


@AS_SHIPPED
@pytest.mark.parametrize(
    ('file', 'sets'),
    [
        (PROJECT, {'default', 'debug', 'demo', 'gtx1080ti', 'thinkpadx201t'}),
        (HYPERPARAMETERS, {'default', 'mobilenet', 'frozen', 'fine_tuned', 'demo'}),
    ],
)
def test_the_sets_of_the_scaffold_are_there(file, sets):
    assert sets <= set(yaml.safe_load(text_of(file)))


@pytest.mark.parametrize('file', SET_FILES)
def test_every_number_has_its_reason_beside_it(file):
    numbers = re.findall(r'^ +(\w+): +([-+.\de]+)(?: +# *(.*))?$', text_of(file), re.MULTILINE)
    assert len(numbers) >= 7
    assert [f'{key}: {number}' for key, number, reason in numbers if len(reason) < 10] == []


def test_no_key_belongs_to_both_files():
    keys = [
        {key for values in yaml.safe_load(text_of(file)).values() for key in values}
        for file in SET_FILES
    ]
    assert all(keys)
    assert keys[0] & keys[1] == set()


@pytest.mark.parametrize('file', SET_FILES)
def test_every_key_is_declared_for_the_file_that_it_stands_in(file):
    for values in yaml.safe_load(text_of(file)).values():
        assert {CATALOG.by_name[key].home for key in values} <= {file}


def test_every_option_is_declared_once():
    always = [each.name for cls in CATALOG.always for each in options_of(cls)]
    for choices in CATALOG.selectors.values():
        # Two models may share a name; then it is one flag.
        always += {each.name for cls in choices.values() for each in options_of(cls)}
    assert sorted(always) == sorted(set(always))


def test_every_option_is_explained_in_a_sentence():
    for name, option in CATALOG.by_name.items():
        assert re.fullmatch(r'[A-Z].*\.', option.help), name
