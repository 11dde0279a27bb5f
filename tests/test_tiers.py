"""Every test has one tier, and a unit test that imports TensorFlow is found."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.processes import ROOT, python
from tests.tiers import FOLDERS, TIERS, assign_tiers, tier_of, tier_of_file

pytestmark = pytest.mark.unit
TESTS = sorted((ROOT / 'tests').rglob('test_*.py'))


class Node:
    """As much of a collected test, or of its file, as has marks."""

    def __init__(self, *marks, parent=None, path=None):
        self.own_markers = [getattr(pytest.mark, name).mark for name in marks]
        self.parent, self.path, self.nodeid = parent, path, f'{path}::test'

    def listchain(self):
        return [*(self.parent.listchain() if self.parent else []), self]

    def iter_markers(self):
        return [mark for node in reversed(self.listchain()) for mark in node.own_markers]

    def get_closest_marker(self, name):
        return next((mark for mark in self.iter_markers() if mark.name == name), None)

    def add_marker(self, mark):
        decorator = getattr(pytest.mark, mark) if isinstance(mark, str) else mark
        self.own_markers.append(decorator.mark)


def collected(path, file_marks=(), marks=()):
    test = Node(*marks, parent=Node(*file_marks), path=path)
    assign_tiers([test])
    return test


@pytest.fixture
def file(monkeypatch, tmp_path):
    """Writes a test file into a folder of graphs; gives its path."""
    monkeypatch.setattr('tests.tiers.ROOT', tmp_path)
    path = tmp_path / 'tests' / 'library' / 'room' / 'test_it.py'
    path.parent.mkdir(parents=True)

    def write(text=''):
        path.write_text(text)
        return path

    return write


def test_every_file_has_a_tier():
    assert {tier_of_file(path) for path in TESTS} == set(TIERS)


def is_of_deleted_extra(name):
    parts = name.split('/')
    return parts[0] == 'extras' and not ROOT.joinpath(*parts[:2]).exists()


def test_every_folder_of_the_table_is_there():
    gone = [name for name in FOLDERS if not (ROOT / name).is_dir()]
    assert [name for name in gone if not is_of_deleted_extra(name)] == []


def test_a_new_file_has_the_tier_of_the_nearest_folder(file):
    assert tier_of(collected(file())) == 'graph'


def test_a_file_may_say_otherwise_and_a_test_in_it_too(file):
    path = file('import pytest\n\npytestmark = pytest.mark.train\n')
    assert tier_of(collected(path, ['train'])) == 'train'
    assert tier_of(collected(path, ['train'], ['process'])) == 'process'


def test_a_test_of_two_tiers_is_refused_and_named(file):
    with pytest.raises(pytest.UsageError, match=r'one tier:\n.*test_it\.py::test: unit and graph$'):
        collected(file(), marks=['unit', 'graph'])


def test_each_tier_has_its_own_time_limit_and_a_test_may_have_another(file):
    limit = collected(file()).get_closest_marker('timeout')
    assert limit.args == (TIERS['graph'][1],)
    own = Node(parent=Node(), path=file())
    own.own_markers.append(pytest.mark.timeout(7).mark)
    assign_tiers([own])
    assert own.get_closest_marker('timeout').args == (7,)


def test_unit_tests_are_found_without_importing_their_files():
    """Only whole files are of this tier, and they say so in a line that a search can read."""
    marked = re.compile(r'^(?:pytestmark = (.*)|@pytest\.mark\.(unit)\b)', re.MULTILINE)
    odd = {}
    for path in TESTS:
        for line, single in marked.findall(path.read_text()):
            tiers = [tier for tier in TIERS if f'mark.{tier}' in line]
            if single or (tiers and not re.match(rf'\[?pytest\.mark\.{tiers[0]}\b', line)):
                odd[path.relative_to(ROOT)] = line
    assert odd == {}


@pytest.fixture
def project(tmp_path):
    """The folder of a project with these tiers and no test; run by calling it with a tier."""
    (tmp_path / 'tests').mkdir()
    for name in ('__init__', 'conftest', 'made_once', 'processes', 'surroundings', 'tiers'):
        shutil.copy(ROOT / 'tests' / f'{name}.py', tmp_path / 'tests')
    shutil.copy(ROOT / 'tests' / 'trainings.py', tmp_path / 'tests')
    shutil.copy(ROOT / 'pyproject.toml', tmp_path)
    (tmp_path / 'tensorflow.py').write_text('')
    return tmp_path


def said_by_failing(project, tier):
    """Runs the tests of a tier, which fail; gives what is printed."""
    done = subprocess.run(
        python('-m', 'pytest', '-m', tier, '-p', 'no:cacheprovider'),
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.process
@pytest.mark.parametrize('where', ['the file', 'its conftest', 'a test'])
def test_a_unit_test_that_imports_tensorflow_fails_and_others_are_not_even_read(project, where):
    texts = {'the file': '', 'its conftest': '', 'a test': 'pass'} | {where: 'import tensorflow'}
    (project / 'tests' / 'room').mkdir()
    (project / 'tests' / 'room' / 'conftest.py').write_text(texts['its conftest'])
    (project / 'tests' / 'room' / 'test_unit.py').write_text(
        f'import pytest\n{texts["the file"]}\npytestmark = pytest.mark.unit\n'
        f'def test_it():\n    {texts["a test"]}\n'
    )
    (project / 'tests' / 'test_graph.py').write_text(
        'pytestmark = pytest.mark.graph\nraise RuntimeError("read")\n'
    )
    said = said_by_failing(project, 'unit')
    assert 'imports TensorFlow' in said
    assert 'test_unit.py' in said or where == 'its conftest'
    assert 'RuntimeError' not in said


ESTIMATOR = """
from types import SimpleNamespace

class Estimator:
    def train(self):
        pass

compat = SimpleNamespace(v1=SimpleNamespace(estimator=SimpleNamespace(Estimator=Estimator)))
"""
TRAINING = """
import pytest
import tensorflow as tf

pytestmark = pytest.mark.{tier}

def train():
    tf.compat.v1.estimator.Estimator().train()

@pytest.fixture(scope='session')
def trained():
    train()

def test_by_a_fixture(trained):
    pass

def test_by_itself():
    train()

@pytest.mark.smoke
def test_smoke():
    train()
"""


@pytest.mark.process
def test_a_test_of_graphs_that_trains_fails_and_others_do_not(project):
    (project / 'tensorflow.py').write_text(ESTIMATOR)
    for tier in ('graph', 'train'):
        (project / 'tests' / f'test_{tier}.py').write_text(TRAINING.format(tier=tier))
    said = said_by_failing(project, 'graph or train')
    assert 'ERROR tests/test_graph.py::test_by_a_fixture - Failed: this test trains' in said
    assert 'FAILED tests/test_graph.py::test_by_itself - Failed: this test trains' in said
    assert '4 passed, 1 failed, 1 error' in said or '1 failed, 4 passed, 1 error' in said
