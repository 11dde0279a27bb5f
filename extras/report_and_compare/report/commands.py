"""Write the commands that repeat a run, and go on from it."""

from __future__ import annotations

import itertools
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from library.config.command_line import ORIGIN
from library.config.fields import as_written
from library.config.hparams import HParams, Value

PYTHON = '.venv/bin/python'
# Longer commands are written in several lines.
WIDTH = 90
# Also passed to the modes that work with what was evaluated.
_SHARED = ('model_dir', 'best_model_dir', 'validation_checkpoint')


def commands_of(
    hparams: HParams, starts: Sequence[Mapping[str, Any]], program: str
) -> dict[str, str]:
    """Map what a command does to the command.

    Args:
      hparams: of the evaluation.
      starts: of the training, as environment.json holds them.
      program: that evaluated, as it was started: run.py, or the installed command.
    """
    typed = {
        name: _flag(name, entry)
        for name, entry in hparams.entries().items()
        if entry.origin == ORIGIN or name == 'model_dir'
    }
    shared = [typed[name] for name in _SHARED if name in typed]
    commands = {}
    trained = starts[-1].get('command') if starts else None
    if trained and isinstance(trained, str):
        commands['Train'] = _train(trained)
    modes = {
        'evaluate': typed.values(),
        'predict': [*shared, ('--predict_input', 'PHOTOS')],
        'export': shared,
    }
    for mode, flags in modes.items():
        words = [*_start(program), mode, *itertools.chain(*flags)]
        commands[mode.capitalize()] = _in_lines(words)
    return commands


def _train(command: str) -> str:
    try:
        program, *words = shlex.split(command)
    except ValueError:
        # Changed by hand since: shown as it is.
        return command
    return _in_lines([*_start(program), *words])


def _start(program: str) -> list[str]:
    """Return what a person types to start a program again; find an installed one by its name."""
    return [PYTHON, program] if program.endswith('.py') else [os.path.basename(program)]


def _in_lines(words: Sequence[str]) -> str:
    """Format a command for a shell, with a line for each flag where one line is too long."""
    command = shlex.join(words)
    if len(command) <= WIDTH:
        return command
    parts: list[list[str]] = [[]]
    for word in words:
        if word.startswith('--'):
            parts.append([])
        parts[-1].append(word)
    return ' \\\n    '.join(map(shlex.join, parts))


def _flag(name: str, entry: Value) -> tuple[str, ...]:
    """Return the words that give an option its value."""
    if isinstance(entry.value, bool):
        return (f'--{name}' if entry.value else f'--no_{name}',)
    text = as_written(entry.value)
    return (f'--{name}={text}',) if text.startswith('-') else (f'--{name}', text)
