"""The house as docs and packages tell it: floors, one direction, small files, TensorFlow late."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ('library', 'project', 'extras', 'demo', 'benchmarks')
FLOORS = (
    ('console', 'cores', 'errors', 'extras', 'files', 'installation', 'suggestions'),
    ('config', 'records'),
    ('runs',),
    ('checkpoints', 'hooks', 'preparation'),
    ('inputs', 'models', 'training'),
    ('runtime',),
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
    # The tests of an extra lie in its folder.
    paths = [
        path
        for path in paths
        if 'tests' not in path.relative_to(ROOT).parts and path.name != 'conftest.py'
    ]
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
        elif not (at_start_only and is_late(node)):
            waiting += ast.iter_child_nodes(node)
    return found


def is_late(node):
    """True for what does not run when its module is imported."""
    return isinstance(node, FUNCTIONS) or is_type_checking(node) or is_lazy(node)


def is_lazy(node):
    """True for a block whose imports wait until something of the module is used."""
    managers = [ast.unparse(each.context_expr) for each in getattr(node, 'items', [])]
    return isinstance(node, ast.With) and managers == ['epy.lazy_imports()']


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING'


@functools.cache
def own_imports(name):
    return {each for each in imports(TREES[name]) if each.split('.')[0] in {*HOUSE, *PROGRAMS}}


LIBRARY = sorted(name for name in TREES if name.startswith('library.'))


def lines_without_docstrings(node, length):
    for each in ast.walk(node):
        if isinstance(each, DOCUMENTED) and ast.get_docstring(each, clean=False) is not None:
            docstring = each.body[0]
            length -= docstring.end_lineno - docstring.lineno + 1
    return length


def test_late_imports_and_those_for_types_are_seen():
    tree = ast.parse(
        'import os.path\n'
        'if TYPE_CHECKING:\n    from library.models.model import Model\n'
        'def f():\n    from library import files\n'
        'with epy.lazy_imports():\n    import tensorflow as tf\n'
        'with open(name) as file:\n    import json\n'
    )
    late = {'library.models.model', 'library.files', 'tensorflow'}
    assert imports(tree) == {'os.path', 'json', *late}
    assert imports(tree, at_start_only=True) == {'os.path', 'json'}


def test_every_room_of_the_library_has_its_floor():
    rooms = {name.split('.')[1] for name in LIBRARY}
    assert rooms == set(FLOOR_OF)


def may_import(room, other):
    both_at_the_bottom = FLOOR_OF[room] == 0 and FLOOR_OF[other] == 0
    return other == room or both_at_the_bottom or FLOOR_OF[other] < FLOOR_OF[room]


def test_a_room_imports_only_lower_floors_and_itself():
    pairs = [(name, other) for name in LIBRARY for other in sorted(own_imports(name))]
    within = [(name, other) for name, other in pairs if other.startswith('library.')]
    assert [
        f'{name} imports {other}'
        for name, other in within
        if not may_import(name.split('.')[1], other.split('.')[1])
    ] == []


def strangers(name, imported):
    """What a module may not import: programs use projects, projects and extras the library."""
    house = name.split('.')[0]
    known = {'library'} if house in ('library', 'extras') else {'library', 'project'}
    found = [other for other in sorted(imported) if other.split('.')[0] not in known]
    if house == 'extras':  # each of which is a house of its own
        own = name.split('.')[:2]
        found = [other for other in found if other.split('.')[:2] != own]
    return [f'{name} imports {other}' for other in found]


def test_each_direction_that_is_forbidden_is_seen():
    house = {'extras.a', 'extras.a.x', 'extras.ab.x', 'run'}
    everything = {'library.files', 'project.options', *house}
    for name, forbidden in (
        ('library.files', {'project.options', *house}),
        ('project.options', house),
        ('extras.a.y', {'project.options', 'extras.ab.x', 'run'}),
        ('convert_dataset', house),
    ):
        assert strangers(name, everything) == [
            f'{name} imports {other}' for other in sorted(forbidden)
        ]


@pytest.mark.parametrize('house', ['library', 'project', 'extras', *PROGRAMS])
def test_imports_lead_down_from_programs_over_project_to_library(house):
    names = [name for name in TREES if name.split('.')[0] == house]
    assert names or house == 'extras'
    assert [each for name in names for each in strangers(name, own_imports(name))] == []


EXTRA_NAMED = re.compile(r'\bextras[./](?=\w)')


def naming_extras(tree):
    """The texts of a tree, docstrings included, that name a folder of extras/ by its name."""
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [text for text in texts if isinstance(text, str) and EXTRA_NAMED.search(text)]


def test_a_text_that_names_an_extra_is_seen():
    tree = ast.parse("'extras.a:B'; 'in extras/a'; f'extras/{name} has it'; 'all of extras/.'")
    assert naming_extras(tree) == ['extras.a:B', 'in extras/a']


def test_one_module_alone_names_extras():
    names = [*PROGRAMS, *(name for name in TREES if name.split('.')[0] in ('library', 'project'))]
    assert {
        name: found
        for name in names
        if name != 'library.extras' and (found := naming_extras(TREES[name]))
    } == {}


def test_no_modules_import_each_other_in_a_circle():
    left = {name: own_imports(name) & set(TREES) for name in TREES}
    while free := [name for name, needed in left.items() if not needed & set(left)]:
        for name in free:
            del left[name]
    assert sorted(left) == []


def importing_tensorflow(names, at_start_only=False):
    return [
        name
        for name in names
        if any(each.startswith('tensorflow') for each in imports(TREES[name], at_start_only))
    ]


def test_configuration_never_imports_tensorflow():
    names = [name for name in TREES if name.startswith('library.config')]
    assert names
    assert importing_tensorflow(names) == []


TENSORFLOW_FREE = [
    'library.errors',
    'library.files',
    # A run alone writes and reads features.
    *(
        name
        for name in TREES
        if name.startswith('library.records') and name != 'library.records.features'
    ),
    'library.console',
    'library.modes.device_checks',
    'library.runtime.entry',
    'library.runtime.tf_config',
    'project.models',
    *(name for name in TREES if name.endswith(('.options', '.extra'))),
    *(name for name in TREES if name.startswith('extras.array_sources.')),
    # What an owner lists must be known beforehand; these two are functions of TensorFlow.
    *(
        name
        for name in TREES
        if name.startswith('project.') and name not in ('project.input_fn', 'project.model_fn')
    ),
    *('library.models.model', 'library.models.head', 'library.models.code_digest'),
    *('library.inputs.augmentation', 'library.inputs.decoding', 'library.hooks.watched'),
    *('library.training.optimizer', 'library.training.schedule', 'library.hooks.by_name'),
    *('library.modes.option_checks', 'library.modes.overruled'),
    *(name for name in TREES if name.endswith('.options')),
    *(name for name in TREES if PATHS[name].name == '__init__.py'),
    *(name for name in TREES if name.startswith('library.preparation')),
    *PROGRAMS,
]


def test_what_comes_before_a_run_starts_without_tensorflow():
    assert importing_tensorflow(sorted(set(TENSORFLOW_FREE)), at_start_only=True) == []


def test_no_module_is_named_after_nothing():
    nothing = {'util', 'utils', 'helper', 'helpers', 'common', 'misc'}
    assert [name for name in TREES if nothing & set(name.replace('_', '.').split('.'))] == []


def test_a_file_fits_in_the_head():
    lengths = {
        name: lines_without_docstrings(tree, len(PATHS[name].read_text().splitlines()))
        for name, tree in TREES.items()
    }
    assert {name: length for name, length in lengths.items() if length > 250} == {}


def test_a_function_fits_on_a_screen():
    lengths = {
        f'{name}.{node.name}': lines_without_docstrings(node, node.end_lineno - node.lineno + 1)
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS)
    }
    assert {name: length for name, length in lengths.items() if length > 60} == {}


def test_the_front_door_is_short():
    assert len((ROOT / 'run.py').read_text().splitlines()) < 80


def test_every_module_says_in_its_first_line_what_it_is():
    firsts = {
        name: (ast.get_docstring(tree) or '').partition('\n')[0] for name, tree in TREES.items()
    }
    assert {name: line for name, line in firsts.items() if not line.endswith(('.', '!', '?'))} == {}


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for name in (*HOUSE, 'tests') for path in (ROOT / name).rglob('*.py')}
    assert [str(each) for each in folders if not (each / '__init__.py').is_file()] == []


def test_all_that_may_be_chosen_is_known_without_tensorflow(program):
    code = (
        'import sys, run\n'
        'for each in run.CATALOG.by_name.values():\n    each.read(each.default_text)\n'
        'print({"tensorflow", "tensorflow_hub", "numpy"} & set(sys.modules))'
    )
    done = program('-c', code)
    assert done.stdout == 'set()\n', done.stderr
