"""A run's hparams.yaml to its values and where each came from; fast, and without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from library import files
from library.config.yaml_sets import read_flat
from library.errors import ConfigError
from library.runs.kept_values import SAVED_AS

# Ten times faster; but it refuses the marks that stand for bytes that are no UTF-8.
_FAST = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)


@dataclass(frozen=True)
class SavedValue:
    """What a run kept of one option: its value as it was written, and who gave it ('': unknown)."""

    text: str | tuple[str, ...]
    origin: str

    @property
    def shown(self) -> str:
        """The value in one line, as --explain has it."""
        if self.text in ('null', ()):
            return 'none'
        return self.text if isinstance(self.text, str) else ', '.join(self.text)


def read_saved_values(folder: str) -> dict[str, SavedValue]:
    """The values of the run in `folder`, in the order of its file; {} if it keeps none.

    Raises:
      ConfigError: the file is damaged.
    """
    path = files.join(folder, SAVED_AS)
    if not files.exists(path):
        return {}
    content = files.read_bytes(path)
    values = _values(content, _FAST)
    if values is None:
        # What is damaged ends here: the reader of all other YAML files says where.
        written = read_flat(path)
        values = _values(content, yaml.SafeLoader)
        if values is None:
            values = {name: SavedValue(each.text, '') for name, each in written.items()}
    return values


def is_of_same_run(values: Mapping[str, SavedValue], folder: str) -> bool:
    """True if these values and those in `folder` were kept by one run, in its first start."""
    try:
        theirs = read_saved_values(folder).get('run_id')
    except ConfigError:
        return False
    own = values.get('run_id')
    return own is not None and theirs is not None and own.text == theirs.text


def _values(content: bytes, loader: Any) -> dict[str, SavedValue] | None:
    """Names to values, with the comments behind them; None unless it is one flat mapping."""
    try:
        root = yaml.compose(content, Loader=loader)
        # As YAML counts them: signs that end a line for Python alone are refused by YAML.
        lines = content.decode().splitlines()
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(root, yaml.MappingNode):
        return None
    values = {}
    for key, value in root.value:
        text = _text(value)
        if text is None or not isinstance(key, yaml.ScalarNode) or key.value in values:
            return None
        values[key.value] = SavedValue(text, _comment_behind(value, lines))
    return values


def _text(node: yaml.Node) -> str | tuple[str, ...] | None:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode) and all(
        isinstance(each, yaml.ScalarNode) for each in node.value
    ):
        return tuple(str(each.value) for each in node.value)
    return None


def _comment_behind(node: yaml.Node, lines: list[str]) -> str:
    end = node.end_mark
    # A list with a line for each value ends on the line of the next key.
    if end.line != node.start_mark.line:
        return ''
    return lines[end.line][end.column :].partition('#')[2].strip()
