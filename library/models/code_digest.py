"""Python code to a digest, by which it is noticed that a person changed it."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import tokenize
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def code_digest(
    *made_by: Callable[..., Any], packages: Collection[str] = (), without: Collection[str] = ()
) -> str:
    """sha256 over the files of functions and classes, and over the files of what these name.

    Names are followed from one function, class or constant to the next, through imports at the
    head of a file and within a function, as far as they lie in `packages`; each file counts whole.
    Comments and the layout do not count, so that a better comment costs nobody hours of computing.

    It reads the code and does not run it. So it cannot see what the code does not name: imports
    and look-ups by a text, relative and star imports, functions and objects that arrive as
    arguments, compiled modules, files that are read.

    Args:
      made_by: functions or classes; their own files are followed too.
      packages: names of packages and modules to follow, such as 'project'.
      without: those among them to leave out.
    """
    waiting = [(each.__module__, each.__qualname__.partition('.')[0]) for each in made_by]
    followed = {*packages, *(module for module, _ in waiting)}
    seen: set[tuple[str, str]] = set()
    while waiting:
        place = waiting.pop()
        if place not in seen:
            seen.add(place)
            waiting += [
                (module, name)
                for module, name in _used_by(*place)
                if _lies_in(module, followed) and not _lies_in(module, without)
            ]
    digests = {_page(module).digest for module, _ in seen}
    return hashlib.sha256('\n'.join(sorted(digests)).encode()).hexdigest()


@dataclass(frozen=True)
class _Page:
    """What there is in one file.

    Attributes:
      digest: sha256 of its code.
      imports: by name, the modules that it may come from, and its name there ('' is the module).
      uses: by name defined at the file's top level, the names in that definition.
    """

    digest: str
    imports: dict[str, set[tuple[str, str]]]
    uses: dict[str, set[str]]


def _used_by(module: str, name: str) -> Iterator[tuple[str, str]]:
    """What the definition of a name uses, as pairs of module and name."""
    page = _page(module)
    if name in page.uses:
        for used in page.uses[name]:
            yield from page.imports.get(used, ())
            if used in page.uses:
                yield module, used
    elif name in page.imports:
        yield from page.imports[name]
    elif name:
        yield f'{module}.{name}', ''
    else:
        # A module that is used as a whole: its attributes are not told apart.
        yield from ((module, each) for each in page.uses)


def _page(module: str) -> _Page:
    return _read(_source(module))


def _source(module: str) -> str:
    """The text of a module; empty where there is no such module, or no text."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return ''
    if spec is None or not (spec.origin or '').endswith('.py'):
        return ''
    with tokenize.open(str(spec.origin)) as file:
        return file.read()


@functools.cache
def _read(source: str) -> _Page:
    tree = ast.parse(source)
    imports: dict[str, set[tuple[str, str]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                place = (node.module or '', alias.name)
                imports.setdefault(alias.asname or alias.name, set()).add(place)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition('.')[0]
                imports.setdefault(bound, set()).add((alias.name, ''))
    uses: dict[str, set[str]] = {}
    for statement in tree.body:
        names = _names(statement)
        for bound in _bound(statement):
            uses.setdefault(bound, set()).update(names)
    digest = hashlib.sha256(ast.dump(tree, annotate_fields=False).encode()).hexdigest()
    return _Page(digest, imports, uses)


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement at a file's top level defines."""
    if isinstance(statement, _DEFINITIONS):
        return {statement.name}
    nodes = list(ast.walk(statement))
    return {each.name for each in nodes if isinstance(each, _DEFINITIONS)} | {
        each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }


def _names(statement: ast.stmt) -> set[str]:
    """Every name in a statement, attributes' and imported ones included."""
    names = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition('.')[0])
    return names


def _lies_in(module: str, packages: Collection[str]) -> bool:
    return any(module == each or module.startswith(f'{each}.') for each in packages)
