"""Suggest the legal name that is nearest to a misspelt one, or what other programs call it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# What other programs call options of this one. Of several the first that is known is suggested.
SYNONYMS: dict[str, tuple[str, ...]] = {
    'amp': ('dtype',),
    'bs': ('batch_size',),
    'checkpoint': ('validation_checkpoint',),
    'ckpt': ('validation_checkpoint',),
    'crop_mode': ('fit',),
    'crop_to_aspect_ratio': ('fit',),
    'data': ('dataset_dir', 'data_dir'),
    'dataset': ('dataset_dir', 'data_dir'),
    'device': ('num_gpus',),
    'early_stopping': ('early_stopping_patience',),
    'epoch': ('train_epochs',),
    'gpu': ('num_gpus',),
    'grad_clip': ('gradient_clip_norm',),
    'image_size': ('max_edge',),
    'input': ('dataset_dir', 'predict_input'),
    'logdir': ('model_dir',),
    'lr': ('learning_rate',),
    'mixed_precision': ('dtype',),
    'num_steps': ('train_steps',),
    'num_workers': ('workers', 'num_parallel_calls'),
    'output': ('tfrecord_dir', 'predict_output'),
    'output_dir': ('tfrecord_dir', 'model_dir'),
    'pad_to_aspect_ratio': ('fit',),
    'patience': ('early_stopping_patience',),
    'precision': ('dtype',),
    'pretrained': ('module',),
    'scheduler': ('learning_rate_decay_type',),
    'seed': ('random_seed',),
    'size': ('max_edge', 'image_size'),
    'val_split': ('splits', 'eval_split'),
    'wd': ('weight_decay',),
    'weights': ('warm_start_ckpt',),
    'workers': ('num_parallel_calls',),
}
# What to know where no option is meant.
NO_OPTION = {
    'num_classes': 'the data say which classes there are',
    'resume': 'the same command resumes what was stopped',
}
# Without a word in common a name must be as near as this (difflib's ratio): a slip of the keys.
SLIP = 0.8
# Words that many options have.
VAGUE = {'dir', 'num'}


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return '; did you mean ...?' with the nearest known name, or ''."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f'; did you mean {close[0]!r}?' if close else ''


def option_suggestion(name: str, options: Iterable[str]) -> str:
    """Return what to say of an unknown option: which was meant, why there is none, or ''."""
    if name in NO_OPTION:
        return f'; {NO_OPTION[name]}'
    options = list(options)
    for meant in SYNONYMS.get(name, ()):
        if meant in options:
            return f'; did you mean {meant!r}?'
    words = set(name.split('_')) - VAGUE
    near = difflib.get_close_matches(name, options, n=1, cutoff=SLIP)
    related = [option for option in options if words & set(option.split('_'))]
    return suggestion(name, near or related)


def nearest_or_all(name: str, known: Iterable[str]) -> str:
    """Return the nearest known name as `suggestion` gives it, otherwise all of them."""
    known = list(known)
    return suggestion(name, known) or f' (there are {", ".join(known)})'
