"""Copy, move and remove the files of a folder of best checkpoints, kill-safe."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from library import files
from library.checkpoints.newest import STATE
from library.console import log
from library.runs.directory import BEST_STATE
from library.runs.kept_values import ORIGINS
from library.runs.metadata import SAVED_AS

PREFIX = 'model.ckpt-'
# Folders for the snapshots of other runs.
ASIDE = 'previous-'


@dataclass(frozen=True)
class Snapshot:
    """One kept checkpoint: its name in the folder, its step, and its metric."""

    checkpoint: str
    global_step: int
    value: float


def read_state(folder: str) -> dict[str, Any] | None:
    """Read what best.json says; None if there is none, or it is damaged."""
    path = files.join(folder, BEST_STATE)
    if not files.exists(path):
        return None
    try:
        state: dict[str, Any] = json.loads(files.read_bytes(path))
        for each in state['snapshots']:
            Snapshot(**each)
    except (ValueError, TypeError, KeyError):
        return None
    return state


def free_name(kept: list[Snapshot], step: int) -> str:
    """Return a name that no kept snapshot has: a copy must not spoil what it may replace."""
    name = f'{PREFIX}{step}'
    return f'{PREFIX}again-{step}' if name in {each.checkpoint for each in kept} else name


def copy_checkpoint(source: str, folder: str, name: str) -> None:
    """Copy the files of a checkpoint; the index, without which it is none, comes last."""
    parts = [part for part in tf.io.gfile.glob(f'{source}.*') if not part.endswith('.meta')]
    parts.sort(key=lambda part: part.endswith('.index'))
    for part in parts:
        data = files.read_bytes(part)
        files.write_atomically(files.join(folder, name + part[len(source) :]), data)


def own_names(folder: str) -> list[str]:
    """Return the files of an exporter in a folder; other people's files stay where they are."""
    return [
        name
        for name in files.names_in(folder)
        if name.startswith(PREFIX) or name in (BEST_STATE, STATE, SAVED_AS, ORIGINS)
    ]


def move(names: list[str], source: str, target: str) -> None:
    """Move files, best.json last: until then a rerun finds the rest where it was."""
    for name in sorted(names, key=lambda name: name == BEST_STATE):
        files.replace(files.join(source, name), files.join(target, name))


def remove_other_checkpoints(folder: str, kept: list[Snapshot]) -> None:
    """Remove snapshots that fell out, and what a killed copy left."""
    prefixes = tuple(f'{each.checkpoint}.' for each in kept)
    for name in files.names_in(folder):
        partial = name.endswith('.partial')
        if name.startswith(PREFIX) and (partial or not name.startswith(prefixes)):
            files.remove(files.join(folder, name))


def move_aside(folder: str) -> None:
    """Move another run's snapshots into previous-N/."""
    others = own_names(folder)
    if not others:
        return
    number = 1
    # A folder without best.json and these names is one that a killed move began to fill.
    while {BEST_STATE, *others} & set(files.names_in(files.join(folder, f'{ASIDE}{number}'))):
        number += 1
    aside = files.join(folder, f'{ASIDE}{number}')
    files.make_folder(aside)
    move(others, folder, aside)
    log(f'{folder} held the best checkpoints of another run or metric: moved to {aside}')
