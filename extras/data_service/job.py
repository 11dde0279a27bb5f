"""Name the stream that the tasks of one start of a cluster share on a tf.data service.

A service keeps a stream for some time after its readers are gone (newer versions for ever), and a
reader that names it again gets what is left. So no start may take the name of an earlier one, and
a name of run and step would repeat after a crash. Imports no TensorFlow.
"""

from __future__ import annotations

import json
import uuid

from library import files
from library.config.hparams import HParams
from library.errors import ResourceError

# In the run's folder.
JOB = 'data_service_job.json'


def before_training_together(hparams: HParams, others_are_running: bool) -> None:
    """Give this start a stream of its own; called by the chief, before any task reads.

    Args:
      hparams: every option of the run.
      others_are_running: tasks that train already go on to read the stream of before.
    """
    if hparams.data_service and not others_are_running:
        begin_job(hparams.model_dir)


def begin_job(model_dir: str) -> None:
    """Name a new stream in the run's folder."""
    content = json.dumps({'job': f'training-{uuid.uuid4().hex}'})
    files.make_folder(model_dir)
    files.write_atomically(files.join(model_dir, JOB), f'{content}\n'.encode())


def job_name(model_dir: str) -> str:
    """Read the name of the stream that this start shares.

    Raises:
      ResourceError: the chief named none, or in another folder.
    """
    path = files.join(model_dir, JOB)
    try:
        return str(json.loads(files.read_bytes(path))['job'])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ResourceError(
            f'{path}: cannot be read; the chief names there the stream that all tasks share on the '
            f'tf.data service, so all must have the same --model_dir'
        ) from None
