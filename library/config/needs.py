"""Options that only count beside another one; `project/options.py` tells of those left alone."""

from __future__ import annotations

from library.config.command_line import ORIGIN
from library.config.hparams import HParams
from library.errors import ConfigError

# Option of training to what it takes: another one that is on, or that has a value.
TAKES = {
    'loss_scale': 'dtype float16',
    'train_batch_norm': 'fine_tuning',
    'module_learning_rate_multiplier': 'fine_tuning',
    'checkpoint_exclude_scopes': 'warm_start_ckpt',
    'checkpoint_restore_scopes': 'warm_start_ckpt',
    'stop_metric': 'stop_threshold',
    'stop_metric_mode': 'stop_threshold',
    'early_stopping_metric': 'early_stopping_patience',
    'early_stopping_metric_mode': 'early_stopping_patience',
    'early_stopping_min_delta': 'early_stopping_patience',
    'log_tensors': 'hooks logging_tensors',
    'logging_tensors_steps': 'hooks logging_tensors',
    'metrics_steps': 'hooks metrics',
    'examples_per_second_steps': 'hooks examples_per_second',
    'profiler_steps': 'hooks profiler',
    'profiler_traces': 'hooks profiler',
}


def unused(hparams: HParams) -> dict[str, str]:
    """By name, the options that somebody set and training does not use, with what they take."""
    entries = hparams.entries()
    takes = TAKES | {
        name: entry.option.takes for name, entry in entries.items() if entry.option.takes
    }
    return {
        name: f'--{taken}'
        for name, taken in takes.items()
        if name in hparams and hparams.origin(name) != 'default' and not _is_on(hparams, taken)
    }


def check_used(hparams: HParams) -> None:
    """Raises ConfigError if an option was typed that training does not use.

    In a set it is legal: sets are shared, and inherit.
    """
    for name, taken in unused(hparams).items():
        if hparams.origin(name) == ORIGIN:
            raise ConfigError(f'--{name} is not used by this run: it takes {taken}')


def _is_on(hparams: HParams, taken: str) -> bool:
    name, _, wanted = taken.partition(' ')
    value = getattr(hparams, name)
    if not wanted:
        return value is not None and value is not False
    return wanted in value if isinstance(value, tuple) else value == wanted
