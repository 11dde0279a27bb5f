"""Keep the values of a run in its directory, and read them back."""

from __future__ import annotations

import json
from typing import Any

import yaml

from library import files
from library.config.explain import shown
from library.config.fields import COMMAND_LINE, Option
from library.config.hparams import HParams
from library.config.yaml_sets import Set, read_flat
from library.errors import ConfigError
from library.runs.metadata import SAVED_AS, Run

# The same for programs, which find no origins in comments.
ORIGINS = 'hparams.json'


def to_yaml(hparams: HParams, run: Run) -> str:
    """Write the resolved values as a flat YAML mapping, each with its origin as a comment."""
    lines = ['# The values of this run, and where each came from.']
    for name, entry in {**hparams.entries(), **run.entries()}.items():
        if entry.option.home != COMMAND_LINE:
            value = list(entry.value) if isinstance(entry.value, tuple) else entry.value
            text = _dumped(value)
            # A folder's name may hold what no comment may, such as a line's end.
            origin = ''.join(c if c.isprintable() else '?' for c in entry.origin)
            lines.append(f'{name}: {text}  # {origin}')
    return '\n'.join(lines) + '\n'


def to_json(hparams: HParams, run: Run) -> str:
    """Write the same values as a JSON mapping: name to text, or texts, of the value and origin."""
    kept = {
        name: {'value': _text(entry.value), 'origin': entry.origin}
        for name, entry in {**hparams.entries(), **run.entries()}.items()
        if entry.option.home != COMMAND_LINE
    }
    return json.dumps(kept, indent=1) + '\n'


def save(hparams: HParams, run: Run, folder: str) -> None:
    """Write hparams.yaml and hparams.json into a run's folder, each whole or not at all."""
    files.make_folder(folder)
    text = to_yaml(hparams, run).encode('utf-8', 'backslashreplace')
    files.write_if_changed(files.join(folder, SAVED_AS), text)
    files.write_if_changed(files.join(folder, ORIGINS), to_json(hparams, run).encode())


def _dumped(value: Any) -> str:
    """Return a value as YAML has it in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**9)
    return str(text.removesuffix('...\n').strip())


def _text(value: Any) -> str | list[str]:
    """Return a value as the readers of hparams.yaml get it."""
    if isinstance(value, tuple):
        return [str(_text(each)) for each in value]
    return value if isinstance(value, str) else _dumped(value)


def read_saved(folder: str) -> Set | None:
    """Read the written values of the run in `folder`; None if it keeps no hparams.yaml."""
    path = files.join(folder, SAVED_AS)
    return read_flat(path) if files.exists(path) else None


def check_run_exists(folder: str) -> None:
    """Raise ConfigError if `folder` holds no run."""
    if any(files.exists(files.join(folder, name)) for name in (SAVED_AS, 'checkpoint')):
        return
    inner = [files.join(folder, name) for name in files.names_in(folder)]
    runs = [each for each in inner if files.exists(files.join(each, SAVED_AS))]
    hint = f'; there is one in {" and in ".join(runs[:3])}' if runs else ''
    raise ConfigError(f'{folder}: no run there (--model_dir){hint}')


def changes(hparams: HParams, run: Run, saved: Set) -> list[str]:
    """Say what a resumed run does differently: 'learning_rate: 0.001 -> 0.01 (origin)'."""
    found = []
    for name, entry in {**hparams.entries(), **run.entries()}.items():
        if name in saved and entry.option.home != COMMAND_LINE:
            before = _read_again(entry.option, saved[name].text)
            if before != entry.value:
                found.append(f'{name}: {shown(before)} -> {shown(entry.value)} ({entry.origin})')
    return found


def _read_again(option: Option, text: str | tuple[str, ...]) -> Any:
    """Return the saved value, or its text where the option's declaration has changed since."""
    try:
        return option.read(text)
    except ValueError:
        return text
