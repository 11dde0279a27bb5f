"""Check and make the hooks that `--hooks` names, from the project's list of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, TypeAlias

from library.config.hparams import HParams
from library.errors import ConfigError
from library.runs.metadata import Run
from library.suggestions import nearest_or_all

if TYPE_CHECKING:
    import tensorflow as tf

    Hook: TypeAlias = tf.estimator.SessionRunHook


def check_names(params: HParams, known: Collection[str]) -> None:
    """Raise ConfigError if `hooks` names one that is not known."""
    for name in params.hooks:
        if name not in known:
            near = nearest_or_all(name, known)
            raise ConfigError(f'{params.place("hooks")}: no hook {name!r}{near}')


def make_hooks(
    params: HParams, run: Run, hooks: Mapping[str, Callable[[HParams, Run], Hook | None]]
) -> list[Hook]:
    """Make the hooks that `hooks` names, each once, in its order, before there is a graph."""
    made = [hooks[name](params, run) for name in dict.fromkeys(params.hooks)]
    return [hook for hook in made if hook is not None]
