"""Choose the variables that are trained, by their scopes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import tensorflow as tf

from library.errors import ConfigError
from library.suggestions import suggestion


def in_scopes(variables: Sequence[tf.Variable], scopes: Sequence[str]) -> list[tf.Variable]:
    """Return the variables that lie under any of the scopes.

    Args:
      variables: all that the model trains.
      scopes: 'head' means the variable of that name and all under 'head/', not 'header/...'; none
        means all variables.

    Raises:
      ConfigError: no variable lies under one of the scopes.
    """
    if not scopes:
        return list(variables)
    names = [variable.name.partition(':')[0] for variable in variables]
    for scope in scopes:
        if not any(lies_in(name, [scope]) for name in names):
            known = _scopes_of(names)
            raise ConfigError(
                f'--trainable_scopes {scope}: the model trains no variables there'
                f'{suggestion(scope, known)} (there are {", ".join(known)})'
            )
    return [
        variable for variable, name in zip(variables, names, strict=True) if lies_in(name, scopes)
    ]


def lies_in(name: str, scopes: Iterable[str]) -> bool:
    """Return whether a variable is in one of the scopes, or is one: 'head' holds 'head/kernel'."""
    return any(f'{name}/'.startswith(f'{scope.rstrip("/")}/') for scope in scopes)


def _scopes_of(names: Iterable[str]) -> list[str]:
    """Return the scopes of the first two levels, sorted; a variable's own name is none."""
    parents = [name.split('/')[:-1] for name in names]
    return sorted({'/'.join(parts[:depth]) for parts in parents for depth in (1, 2) if parts})
