"""Read YAML text into named sets: each key's written text, with its file and line.

The loader resolves nothing but the merge key, so every scalar arrives as it was written (`1e-4`,
`no`, `012`); the option that the key names reads it. A set is a top-level key that holds a flat
mapping; sets inherit through anchors and merge keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from library import files
from library.errors import ConfigError

# Aliases can make a short document unfold without end ("billion laughs"). No sane set of files
# comes near this count of entries.
MAX_ENTRIES = 10_000
MAX_MERGE_DEPTH = 20
MAX_DEPTH = 20
_MERGE = 'tag:yaml.org,2002:merge'
_PLAIN_TAGS = {f'tag:yaml.org,2002:{name}' for name in ('str', 'map', 'seq')}


class _TextLoader(yaml.SafeLoader):
    """A safe loader that leaves every scalar the text that was written."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        # PyYAML's scanner takes a second for 3000 brackets; sets are flat.
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RecursionError
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


_TextLoader.yaml_implicit_resolvers = {
    '<': [pair for pair in yaml.SafeLoader.yaml_implicit_resolvers['<'] if pair[0] == _MERGE]
}


@dataclass(frozen=True)
class Written:
    """A value as it was written, and where."""

    text: str | tuple[str, ...]
    origin: str


Set = dict[str, Written]


def read_sets(path: str) -> dict[str, Set]:
    """Read every set of a file, merge keys resolved.

    Raises:
      ConfigError: the file cannot be read, is no YAML, or is not a mapping of flat sets; the
        message names file, line, set and key.
    """
    document = _Document(path)
    pairs = document.pairs(document.root, 'the file')
    return {name: document.flat(node, f'set {name!r}') for name, (node, _) in pairs.items()}


def read_flat(path: str) -> Set:
    """Read a file that is one flat mapping, such as a run's hparams.yaml.

    Raises:
      ConfigError: as `read_sets`.
    """
    document = _Document(path)
    return document.flat(document.root, 'the file')


Level = dict[str, tuple[yaml.Node, int]]


class _Document:
    """The nodes of a file, and how many entries they may still unfold to."""

    def __init__(self, path: str):
        self._path = path
        self._left = MAX_ENTRIES
        root = _root(path)
        self._refuse_tag(root, 'the file')
        if not isinstance(root, yaml.MappingNode):
            raise self._error(root, f'expected a mapping of names, not {_kind(root)}')
        self.root = root

    def flat(self, node: yaml.Node, where: str) -> Set:
        """Put the set's own keys over its merged ones (of several merged sets the first wins)."""
        if isinstance(node, yaml.ScalarNode) and node.value == '':
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f'{where} is {_kind(node)}, expected keys')
        values: Set = {}
        for level in self._levels(node, where, 0):
            for key, (value, line) in level.items():
                if key not in values:
                    values[key] = Written(self._text(value, where, key), f'{self._path}:{line}')
        return values

    def pairs(self, node: yaml.MappingNode, where: str) -> Level:
        """Read a mapping's keys with value node and line; a key written twice is an error."""
        pairs: Level = {}
        for key_node, value_node in node.value:
            self._spend()
            self._refuse_tag(key_node, where)
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, f'{where}: a key must be a plain name')
            key = key_node.value
            if key in pairs:
                raise self._error(
                    key_node,
                    f'{where}: key {key!r} is written twice (before on line {pairs[key][1]})',
                )
            self._refuse_tag(value_node, where)
            pairs[key] = (value_node, key_node.start_mark.line + 1)
        return pairs

    def _levels(self, node: yaml.MappingNode, where: str, depth: int) -> Iterator[Level]:
        """Yield the mapping's own pairs, then those of what it merges, nearest first."""
        if depth > MAX_MERGE_DEPTH:
            raise self._error(node, f'{where} merges itself or nests too deeply')
        own = self.pairs(node, where)
        merge = own.pop('<<', None) if any(key.tag == _MERGE for key, _ in node.value) else None
        yield own
        if merge is None:
            return
        sources = merge[0].value if isinstance(merge[0], yaml.SequenceNode) else [merge[0]]
        for source in sources:
            self._spend()
            self._refuse_tag(source, where)
            if not isinstance(source, yaml.MappingNode):
                raise self._error(merge[0], f'{where}: << takes a set, as in <<: *NAME')
            yield from self._levels(source, where, depth + 1)

    def _text(self, node: yaml.Node, where: str, key: str) -> str | tuple[str, ...]:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if all(isinstance(item, yaml.ScalarNode) for item in items):
            for item in items:
                self._refuse_tag(item, where)
            return tuple(str(item.value) for item in items)
        raise self._error(node, f'{where}: key {key!r} holds {_kind(node)}; sets are flat')

    def _refuse_tag(self, node: yaml.Node, where: str) -> None:
        if node.tag not in _PLAIN_TAGS and node.tag != _MERGE:
            raise self._error(node, f'{where}: the tag {node.tag} is not allowed')

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise ConfigError(f'{self._path}: aliases unfold to more than {MAX_ENTRIES} entries')

    def _error(self, node: yaml.Node, text: str) -> ConfigError:
        return ConfigError(f'{self._path}:{node.start_mark.line + 1}: {text}')


def _root(path: str) -> yaml.Node:
    try:
        text = files.read_bytes(path).decode('utf-8-sig')
    except FileNotFoundError:
        raise ConfigError(f'{path}: no such file') from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b'\n') + 1
        column = error.start - error.object.rfind(b'\n', 0, error.start)
        raise ConfigError(f'{path}:{line}: column {column} is not UTF-8 text') from None
    except OSError as error:
        raise ConfigError(f'{path}: {(error.strerror or str(error)).lower()}') from None
    try:
        root = yaml.compose(text, Loader=_TextLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f'{path}:{mark.line + 1}: column {mark.column + 1}' if mark else path
        problem = error.problem or error.context or 'no YAML'
        if problem.startswith('but '):
            problem = f'{error.context}, {problem}'
        raise ConfigError(f'{place}: {problem}') from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count('\n') + 1, error.position - before.rfind('\n')
        raise ConfigError(f'{path}:{line}: column {column}: {error.reason}') from None
    except yaml.YAMLError as error:
        raise ConfigError(f'{path}: {" ".join(str(error).split())}') from None
    except RecursionError:
        raise ConfigError(f'{path}: nested too deeply') from None
    if root is None:
        raise ConfigError(f'{path}: the file is empty')
    return root


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return f'the text {node.value!r}'
    return 'a list' if isinstance(node, yaml.SequenceNode) else 'a mapping'
