"""What a person calls a checkpoint, to the path of its files."""

from __future__ import annotations

from library import files
from library.checkpoints.newest import checkpoint_at
from library.checkpoints.readable import is_readable
from library.config.hparams import HParams
from library.errors import ConfigError, MismatchError
from library.runs.kept_values import read_saved


def chosen_checkpoint(hparams: HParams, run_id: str | None) -> str:
    """The checkpoint of a run that --validation_checkpoint names; raises as `find_checkpoint`."""
    return find_checkpoint(
        hparams.validation_checkpoint, hparams.model_dir, hparams.best_model_dir, run_id
    )


def find_checkpoint(wanted: str, model_dir: str, best_model_dir: str, run_id: str | None) -> str:
    """The path of a checkpoint, without ending.

    Args:
      wanted: 'latest', a step and a plain name are looked for in model_dir, 'best' in
        best_model_dir; else a path of a checkpoint or of a folder with checkpoints.

    Raises:
      ConfigError: there is no such checkpoint.
      MismatchError: the checkpoint is damaged, or the best ones are those of another run.
    """
    if wanted == 'best':
        saved = read_saved(best_model_dir) or {}
        if run_id and 'run_id' in saved and saved['run_id'].text != run_id:
            raise MismatchError(f'{best_model_dir}: holds the best checkpoints of another run')
    folder = {'latest': model_dir, 'best': best_model_dir}.get(wanted, wanted)
    path = files.join(model_dir, f'model.ckpt-{wanted}') if wanted.isdigit() else folder
    path = checkpoint_at(path)
    if not files.exists(f'{path}.index') and files.exists(files.join(model_dir, f'{path}.index')):
        path = files.join(model_dir, path)
    if not files.exists(f'{path}.index'):
        raise ConfigError(f'{path}: no checkpoint there (--validation_checkpoint {wanted})')
    # TensorFlow takes a data file that was cut off for the end of the data set.
    if not is_readable(path):
        raise MismatchError(f'{path}: the checkpoint is damaged')
    return path
