"""Say which options another one overrules."""

from __future__ import annotations

from collections.abc import Sequence

from library.config.hparams import HParams
from library.config.needs import unused
from library.config.set_files import find_set_file


def overruled(hparams: HParams, folders: Sequence[str]) -> dict[str, str]:
    """Say of options, by name, which other one overrules, caps or lacks: notes for --explain.

    Args:
      hparams: every option of the run.
      folders: where files of sets are looked for that the working folder lacks; of those the note
        says where they are.
    """
    notes = {name: f'unused without {taken}' for name, taken in unused(hparams).items()}
    for name in ('config_file', 'hyperparameter_file'):
        path = getattr(hparams, name)
        found = find_set_file(path, folders)
        if found != path:
            notes[name] = f'it is {found}'
    if hparams.train_steps:
        notes['train_epochs'] = 'train_steps wins'
    if hparams.max_train_steps:
        length = 'train_steps' if hparams.train_steps else 'train_epochs'
        notes[length] = f'capped by max_train_steps {hparams.max_train_steps}'
    for winner in ('save_checkpoints_steps', 'save_checkpoints_secs'):
        if getattr(hparams, winner):
            notes['epochs_between_evals'] = f'{winner} wins'
    if hparams.train_batch_size and hparams.eval_batch_size:
        notes['batch_size'] = 'train_batch_size and eval_batch_size win'
    return notes
