"""The house as docs and packages tell it: floors, one direction, small files, TensorFlow late."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ('library', 'project', 'extras', 'demo', 'benchmarks')
FLOORS = (
    ('console', 'errors', 'extras', 'files', 'suggestions'),
    ('config', 'records'),
    ('runs',),
    ('checkpoints', 'hooks', 'preparation'),
    ('inputs', 'models', 'training', 'runtime'),
    ('exporters', 'pages'),
    ('modes',),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
PROGRAMS = ('run', 'convert_dataset')
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, *FUNCTIONS)


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def sources():
    paths = [path for folder in HOUSE for path in sorted((ROOT / folder).rglob('*.py'))]
    # The tests of an extra lie in it.
    paths = [path for path in paths if 'tests' not in path.relative_to(ROOT).parts]
    paths.remove(ROOT / 'extras' / 'conftest.py')
    return [*(ROOT / f'{name}.py' for name in PROGRAMS), *paths]


TREES = {module_name(path): ast.parse(path.read_text(), str(path)) for path in sources()}
PATHS = {module_name(path): path for path in sources()}


def imports(tree, at_start_only=False):
    """The names of all modules that a tree imports, lazy imports and those for types included."""
    found = set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, 'relative imports are not used here'
            # `from library import files` imports a module, `from library.files import join` a name.
            inner = {f'{node.module}.{alias.name}' for alias in node.names}
            found |= {name if name in TREES else node.module for name in inner}
        elif not (at_start_only and (isinstance(node, FUNCTIONS) or is_type_checking(node))):
            waiting += ast.iter_child_nodes(node)
    return found


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING'


def own_imports(name):
    return {each for each in imports(TREES[name]) if each.split('.')[0] in {*HOUSE, *PROGRAMS}}


LIBRARY = sorted(name for name in TREES if name.startswith('library.'))


def lines_without_docstrings(node, length):
    for each in ast.walk(node):
        if isinstance(each, DOCUMENTED) and ast.get_docstring(each, clean=False) is not None:
            docstring = each.body[0]
            length -= docstring.end_lineno - docstring.lineno + 1
    return length


def test_imports_inside_functions_and_for_types_are_seen():
    tree = ast.parse(
        'import os.path\n'
        'if TYPE_CHECKING:\n    from library.models.model import Model\n'
        'def f():\n    from library import files\n'
    )
    assert imports(tree) == {'os.path', 'library.models.model', 'library.files'}
    assert imports(tree, at_start_only=True) == {'os.path'}


def test_every_room_of_the_library_has_its_floor():
    rooms = {name.split('.')[1] for name in LIBRARY}
    assert rooms == set(FLOOR_OF)


@pytest.mark.parametrize('name', LIBRARY)
def test_a_room_imports_only_lower_floors_and_itself(name):
    room = name.split('.')[1]
    for other in own_imports(name):
        other_room = other.split('.')[1]
        within = other_room == room or (FLOOR_OF[room] == 0 and FLOOR_OF[other_room] == 0)
        assert within or FLOOR_OF[other_room] < FLOOR_OF[room], f'{name} imports {other}'


@pytest.mark.parametrize('name', LIBRARY)
def test_the_library_knows_nothing_of_what_stands_above_it(name):
    assert {other.split('.')[0] for other in own_imports(name)} <= {'library'}


@pytest.mark.parametrize('name', sorted(n for n in TREES if n.split('.')[0] == 'project'))
def test_the_project_knows_neither_programs_nor_demo(name):
    assert {other.split('.')[0] for other in own_imports(name)} <= {'library', 'project'}


@pytest.mark.parametrize('name', sorted(n for n in TREES if n.split('.')[0] == 'extras'))
def test_an_extra_knows_the_library_and_itself(name):
    own = '.'.join(name.split('.')[:2])
    others = {other for other in own_imports(name) if not other.startswith(own)}
    assert {other.split('.')[0] for other in others} <= {'library'}


def test_no_modules_import_each_other_in_a_circle():
    left = {name: own_imports(name) & set(TREES) for name in TREES}
    while free := [name for name, needed in left.items() if not needed & set(left)]:
        for name in free:
            del left[name]
    assert sorted(left) == []


@pytest.mark.parametrize('name', sorted(n for n in TREES if n.startswith('library.config')))
def test_configuration_never_imports_tensorflow(name):
    assert not {other for other in imports(TREES[name]) if other.startswith('tensorflow')}


TENSORFLOW_FREE = [
    'library.errors',
    'library.files',
    'library.records.manifest',
    'library.records.shards',
    'library.console',
    *(
        f'library.runtime.{name}'
        for name in (
            *('tf_config', 'cluster', 'distribution_kind', 'door', 'meeting', 'watchdog'),
            *('late_signals', 'job_notes', 'local_cluster', 'task_processes', 'entry'),
        )
    ),
    'project.models',
    *(name for name in TREES if name.endswith('.options')),
    *(name for name in TREES if name.startswith('extras.') and name.endswith('.extra')),
    *(name for name in TREES if PATHS[name].name == '__init__.py'),
    # Spawned workers import what a conversion imports; verification runs in the parent alone.
    *(
        name
        for name in TREES
        if name.startswith('library.preparation') and not name.endswith('.verification')
    ),
    *PROGRAMS,
]


@pytest.mark.parametrize('name', sorted(set(TENSORFLOW_FREE)))
def test_what_comes_before_a_run_starts_without_tensorflow(name):
    at_start = imports(TREES[name], at_start_only=True)
    assert not {other for other in at_start if other.startswith('tensorflow')}


@pytest.mark.parametrize('word', ['util', 'utils', 'helper', 'helpers', 'common', 'misc'])
def test_no_module_is_named_after_nothing(word):
    assert [name for name in TREES if word in name.replace('_', '.').split('.')] == []


@pytest.mark.parametrize('name', sorted(TREES))
def test_a_file_fits_in_the_head(name):
    length = len(PATHS[name].read_text().splitlines())
    assert lines_without_docstrings(TREES[name], length) <= 250


@pytest.mark.parametrize('name', sorted(TREES))
def test_a_function_fits_on_a_screen(name):
    for node in ast.walk(TREES[name]):
        if isinstance(node, FUNCTIONS):
            length = lines_without_docstrings(node, node.end_lineno - node.lineno + 1)
            assert length <= 60, f'{name}.{node.name}'


def test_the_front_door_is_short():
    assert len((ROOT / 'run.py').read_text().splitlines()) < 80


@pytest.mark.parametrize('name', sorted(TREES))
def test_every_module_says_in_its_first_line_what_it_is(name):
    first = (ast.get_docstring(TREES[name]) or '').partition('\n')[0]
    assert first.endswith(('.', '!', '?')), f'{name}: {first!r}'


@pytest.mark.parametrize('name', ['library', 'project', 'demo'])
def test_every_folder_of_modules_is_a_package(name):
    folders = {path.parent for path in (ROOT / name).rglob('*.py')}
    assert [str(each) for each in folders if not (each / '__init__.py').is_file()] == []
