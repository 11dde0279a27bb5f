"""The checks between options, as run.py makes them."""

from __future__ import annotations

from library.config.hparams import HParams
from library.modes import option_checks
from library.modes import overruled as overruling
from project.hooks import HOOKS
from project.options import CATALOG


def check(hparams: HParams, mode: str) -> None:
    """Raises ConfigError where options do not go together."""
    option_checks.check(hparams, mode, CATALOG, HOOKS)


def overruled(hparams: HParams) -> dict[str, str]:
    """What --explain says of options that another one overrules."""
    return overruling.overruled(hparams, CATALOG.folders)
