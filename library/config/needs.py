"""Find options that were set but have no effect without another one (`needs` in `option`)."""

from __future__ import annotations

from library.config.command_line import ORIGIN
from library.config.hparams import HParams
from library.errors import ConfigError


def unused(hparams: HParams) -> dict[str, str]:
    """Find, by name, options that somebody set and training does not use; say what they need."""
    return {
        name: f'--{entry.option.needs}'
        for name, entry in hparams.entries().items()
        if entry.option.needs
        and entry.origin != 'default'
        and not _is_on(hparams, entry.option.needs)
    }


def check_used(hparams: HParams) -> None:
    """Raise ConfigError if an option was typed that training does not use.

    In a set it is legal: sets are shared, and inherit.
    """
    for name, needed in unused(hparams).items():
        if hparams.origin(name) == ORIGIN:
            raise ConfigError(f'--{name} is not used by this run: it takes {needed}')


def _is_on(hparams: HParams, needed: str) -> bool:
    name, _, wanted = needed.partition(' ')
    value = getattr(hparams, name) if name in hparams else None
    if not wanted:
        return value is not None and value is not False and value != ()
    return wanted in value if isinstance(value, tuple) else value == wanted
