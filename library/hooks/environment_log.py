"""Record on what, and with which code, each start of a run was made: environment.json."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import tensorflow as tf

from library import files
from library.hooks.watched import noted_parameters

ENVIRONMENT = 'environment.json'
# They differ in every start; alone they are no news.
_OF_THE_MOMENT = ('time', 'step')


class EnvironmentLogHook(tf.estimator.SessionRunHook):
    """Add this start to the file's list, unless it is like the last one."""

    def __init__(self, model_dir: str, describe: Callable[[], dict[str, Any]]):
        """Make the hook.

        Args:
          model_dir: the run's folder.
          describe: describes machine, versions and code, as JSON can hold it.
        """
        self._model_dir = model_dir
        self._describe = describe

    def begin(self) -> None:
        """Count the parameters while the graph is the one that was built."""
        self._parameters = noted_parameters()
        self._step_tensor = tf.compat.v1.train.get_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Write the file."""
        start = {
            'time': datetime.now(UTC).isoformat(timespec='seconds'),
            'step': int(session.run(self._step_tensor)),
            'command': shlex.join(sys.argv),
            **self._describe(),
            'parameters': self._parameters,
        }
        starts = read_starts(self._model_dir)
        if not starts or _lasting(starts[-1]) != _lasting(start):
            text = json.dumps({'starts': [*starts, start]}, indent=2)
            files.make_folder(self._model_dir)
            files.write_atomically(files.join(self._model_dir, ENVIRONMENT), f'{text}\n'.encode())


def read_starts(model_dir: str) -> list[dict[str, Any]]:
    """Return the starts of a run that differ, in their order; none where the file says none."""
    path = files.join(model_dir, ENVIRONMENT)
    if not files.exists(path):
        return []
    try:
        starts = json.loads(files.read_bytes(path))['starts']
        return [start for start in starts if isinstance(start, dict)]
    except (ValueError, KeyError, TypeError):
        # Spoiled by hand or by a disk: the run is worth more than its log.
        return []


def _lasting(start: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in start.items() if name not in _OF_THE_MOMENT}
