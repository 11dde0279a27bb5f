"""Find the newest checkpoint of a folder, and write the file that names it."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from library import files

# TensorFlow's own name for the file that lists a folder's checkpoints.
STATE = 'checkpoint'


def newest_checkpoint(folder: str) -> str | None:
    """Return the path that the folder's `checkpoint` file names, or None if it names none."""
    try:
        return tf.train.latest_checkpoint(folder)
    except ValueError:  # the file is empty
        return None


def checkpoint_at(path: str) -> str:
    """Return the path, without ending, of the checkpoint that a person means by a path.

    Args:
      path: of a checkpoint, with or without .index, or of a folder, which stands for its newest
        one. Whether there is a checkpoint is another question.
    """
    checkpoint = path.removesuffix('.index')
    # The index first: in ram:// the beginning of a file's name counts as a folder.
    if not files.exists(f'{checkpoint}.index') and files.is_folder(path):
        return newest_checkpoint(path) or path
    return checkpoint


def write_checkpoint_state(folder: str, names: Sequence[str]) -> None:
    """Write the file by which TensorFlow finds a folder's checkpoints.

    Args:
      folder: of the checkpoints.
      names: theirs, without folder and ending; the last one is what TensorFlow restores.
    """
    lines = [f'model_checkpoint_path: "{names[-1]}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
    files.write_if_changed(files.join(folder, STATE), ('\n'.join(lines) + '\n').encode())


def newest_step(folder: str) -> int:
    """Return the step of the newest checkpoint; 0 if there is none."""
    checkpoint = newest_checkpoint(folder)
    return int(checkpoint.rsplit('-', 1)[1]) if checkpoint else 0
