"""Note in MODEL_DIR how each task ended, for the others; no TensorFlow.

The chief notes the end of training for the evaluator, and each task its own end, so that its
peers do not take it for lost. Readers ask again and again: storage that fails for a while
is no different from a note that is not there.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeGuard

from extras.cluster.tasks import Task
from library import files
from library.errors import Stopped

TRAINING_ENDED = 'training_ended.json'
# The folder of what is noted of single tasks.
TASKS = 'cluster'
STARTED = 'started.json'


@dataclass(frozen=True)
class Ended:
    """The end of training.

    Attributes:
      step: the last one, of which there is a checkpoint.
      reason: why there is no further one, for people.
    """

    step: int
    reason: str


@dataclass(frozen=True)
class Failed:
    """The end of a process by a known error.

    Attributes:
      line: what it says, for people.
      exit_code: of the process.
    """

    line: str
    exit_code: int


def note_ended(model_dir: str, step: int, reason: str) -> None:
    """Note that the run is trained to its end."""
    files.make_folder(model_dir)
    _write(files.join(model_dir, TRAINING_ENDED), asdict(Ended(step, reason)))


def read_ended(model_dir: str) -> Ended | None:
    """Read how training ended; None while it goes on, or if the note cannot be read."""
    content = _read(files.join(model_dir, TRAINING_ENDED))
    step, reason = content.get('step'), content.get('reason')
    return Ended(step, reason) if _is_number(step) and isinstance(reason, str) else None


def forget_ended(model_dir: str) -> None:
    """Remove the note: training goes on."""
    _remove(files.join(model_dir, TRAINING_ENDED))


def note_started(model_dir: str) -> None:
    """Note that the chief's session exists, and with it the variables."""
    files.make_folder(files.join(model_dir, TASKS))
    _write(files.join(model_dir, TASKS, STARTED), {'started': True})


def has_started(model_dir: str) -> bool:
    """Return True if the chief noted that; False also if the note cannot be read."""
    return 'started' in _read(files.join(model_dir, TASKS, STARTED))


def forget_started(model_dir: str) -> None:
    """Remove the note: the chief starts again."""
    _remove(files.join(model_dir, TASKS, STARTED))


def note_finished(model_dir: str, task: Task) -> None:
    """Note that a task ended in good order."""
    files.make_folder(files.join(model_dir, TASKS))
    _write(_own_note(model_dir, task), {'finished': str(task)})


def has_finished(model_dir: str, task: Task) -> bool:
    """Return True if the task noted such an end; False also if the note cannot be read."""
    return 'finished' in _read(_own_note(model_dir, task))


def note_failed(model_dir: str, task: Task, line: str, exit_code: int) -> None:
    """Note that a task ends with an error; never raise for storage that fails.

    Args:
      model_dir: of the run.
      task: this process.
      line: the error's text.
      exit_code: of this process.
    """
    failed = Failed(' '.join(line.splitlines()), exit_code)
    # People must see the error itself, not that it could not be noted.
    with _storage_may_fail():
        files.make_folder(files.join(model_dir, TASKS))
        _write(_own_note(model_dir, task), {'failed': str(task), **asdict(failed)})


def read_failed(model_dir: str, task: Task) -> Failed | None:
    """Read how the task failed; None if it did not, or if the note cannot be read."""
    content = _read(_own_note(model_dir, task))
    line, code = content.get('line'), content.get('exit_code')
    if 'failed' in content and isinstance(line, str) and _is_number(code) and 0 < code < 256:
        return Failed(line, code)
    return None


def forget_finished(model_dir: str, task: Task) -> None:
    """Remove the note of a task's end, good or bad: the task starts again."""
    _remove(_own_note(model_dir, task))


def _own_note(model_dir: str, task: Task) -> str:
    return files.join(model_dir, TASKS, f'{task.job}-{task.index}.json')


def _write(path: str, content: Mapping[str, Any]) -> None:
    files.write_atomically(path, f'{json.dumps(content)}\n'.encode())


def _read(path: str) -> Mapping[str, Any]:
    """Read a note; return nothing if it is missing or cannot be read."""
    content = None
    with _storage_may_fail():
        content = json.loads(files.read_bytes(path))
    return content if isinstance(content, dict) else {}


@contextlib.contextmanager
def _storage_may_fail() -> Iterator[None]:
    """Ignore errors of storage, and damaged content."""
    try:
        yield
    # A signal's, which may come at any place.
    except Stopped:
        raise
    # Buckets have errors of their own (tf.errors.OpError is no OSError), and a note may be taken
    # away at any moment.
    except Exception:
        pass


def _is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _remove(path: str) -> None:
    if files.exists(path):
        files.remove(path)
