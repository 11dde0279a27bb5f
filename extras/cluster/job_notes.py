"""Note in MODEL_DIR how each task ended, for the others; no TensorFlow.

The chief notes the end of training for the evaluator, and each task its own end, so that its
peers do not take it for lost. Readers ask again and again: storage that fails for a while
is no different from a note that is not there.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
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
# Seconds: a bucket may take long.
_LONGEST_READ = 20.0


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
class TaskEnd:
    """The end of a process, in good order or by an error that is known.

    Attributes:
      exit_code: of the process; 0 for an end in good order, be it by a signal.
      line: what the error says, for people.
    """

    exit_code: int = 0
    line: str = ''


def note_ended(model_dir: str, step: int, reason: str) -> None:
    """Note that the run is trained to its end."""
    _write(files.join(model_dir, TRAINING_ENDED), asdict(Ended(step, reason)))


def read_ended(model_dir: str) -> Ended | None:
    """Read how training ended; None while it goes on, or if the note cannot be read."""
    content = _read(files.join(model_dir, TRAINING_ENDED))
    step, reason = content.get('step'), content.get('reason')
    return Ended(step, reason) if _is_number(step) and isinstance(reason, str) else None


def forget_ended(model_dir: str) -> None:
    """Take the note back: training goes on."""
    _remove(files.join(model_dir, TRAINING_ENDED))


def note_started(model_dir: str) -> None:
    """Note that the chief's session is there, and with it the variables."""
    _write(files.join(model_dir, TASKS, STARTED), {'started': True})


def has_started(model_dir: str) -> bool:
    """Return whether the chief noted that; False too if the note cannot be read."""
    return 'started' in _read(files.join(model_dir, TASKS, STARTED))


def forget_started(model_dir: str) -> None:
    """Take the note back: the chief starts again."""
    _remove(files.join(model_dir, TASKS, STARTED))


def note_task_end(model_dir: str, task: Task, end: TaskEnd) -> None:
    """Note how a task ended; of a failure it never raises for storage that fails.

    Args:
      model_dir: of the run.
      task: this process.
      end: its end.
    """
    content = {'task': str(task), **asdict(end)}
    # A failure itself is what people have to see, not that it could not be noted.
    with _storage_may_fail() if end.exit_code else contextlib.nullcontext():
        _write(_own_note(model_dir, task), content)


def read_task_end(model_dir: str, task: Task) -> TaskEnd | None:
    """Read how a task ended; None while it runs, or if the note cannot be read."""
    content = _read(_own_note(model_dir, task))
    code, line = content.get('exit_code'), content.get('line')
    if _is_number(code) and 0 <= code < 256 and isinstance(line, str):
        return TaskEnd(code, ' '.join(line.splitlines()))
    return None


def read_task_end_in_time(
    model_dir: str, task: Task, seconds: float = _LONGEST_READ
) -> TaskEnd | None:
    """Read how a task ended; None too where storage, perhaps lost with that task, never answers."""
    found: list[TaskEnd | None] = []
    reader = threading.Thread(
        target=lambda: found.append(read_task_end(model_dir, task)), daemon=True
    )
    reader.start()
    reader.join(seconds)
    return found[0] if found else None


def forget_task_end(model_dir: str, task: Task) -> None:
    """Take the note of a task's end back, good or bad: the task starts again."""
    _remove(_own_note(model_dir, task))


def _own_note(model_dir: str, task: Task) -> str:
    return files.join(model_dir, TASKS, f'{task.job}-{task.index}.json')


def _write(path: str, content: Mapping[str, Any]) -> None:
    files.make_folder(os.path.dirname(path))
    files.write_atomically(path, f'{json.dumps(content)}\n'.encode())


def _read(path: str) -> Mapping[str, Any]:
    """Read what a note says: nothing if it is not there or cannot be read."""
    content = None
    with _storage_may_fail():
        content = json.loads(files.read_bytes(path))
    return content if isinstance(content, dict) else {}


@contextlib.contextmanager
def _storage_may_fail() -> Iterator[None]:
    """Pass over errors of storage, and of damaged content."""
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
