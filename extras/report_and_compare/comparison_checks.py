"""Refuse options that a comparison would ignore."""

from __future__ import annotations

from library.config.command_line import ORIGIN
from library.config.hparams import HParams
from library.errors import ConfigError

# What every mode reads, even one that needs no run of its own.
USED_BY_ALL = (
    *('config_file', 'config_set', 'hyperparameter_file', 'hyperparameter_set'),
    *('explain', 'verbose'),
)


def check(hparams: HParams, mode: str) -> None:
    """Check the options of `run.py compare`.

    Args:
      hparams: the values of a run in any mode.
      mode: the first word of the command line.

    Raises:
      ConfigError: an option was typed that is legal in all modes but has no effect in this one.
    """
    if mode != 'compare':
        return
    for name, entry in hparams.entries().items():
        for_all = name in USED_BY_ALL or 'compare' in entry.option.modes
        if entry.origin == ORIGIN and not for_all:
            raise ConfigError(f'--{name} is not used by this run: compare only reads other runs')
