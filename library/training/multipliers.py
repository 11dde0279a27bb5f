"""Give each part of a model a learning rate of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeAlias

import tensorflow as tf

Optimizer: TypeAlias = tf.compat.v1.train.Optimizer


def with_multipliers(
    make: Callable[[tf.Tensor], Optimizer], rate: tf.Tensor, multipliers: Mapping[str, float]
) -> Optimizer:
    """Make an optimizer that trains the variables under some scopes with another learning rate.

    Each scope gets an optimizer of its own: a factor on the gradients would do nothing for Adam
    and its kin, which divide by the gradients' size.

    Args:
      make: gives an optimizer for a learning rate, float32 scalar.
      rate: of the variables under none of the scopes.
      multipliers: by scope, such as 'module/', what the rate is multiplied by there; of scopes
        within each other the longest counts.

    Returns:
      An optimizer. The names of its variables do not depend on the factors, so that a resumed run
      may have others. Those that belong to no single variable lie under the scope: Adam's powers
      are 'beta1_power' and 'module/beta1_power'. Without multipliers it is `make(rate)`.
    """
    if not multipliers:
        return make(rate)
    groups = {scope: make(rate * factor) for scope, factor in sorted(multipliers.items())}
    return ScopedOptimizer({'': make(rate)} | groups)


class ScopedOptimizer(tf.compat.v1.train.Optimizer):
    """Several optimizers, each for the variables under its scope."""

    def __init__(self, by_scope: Mapping[str, Optimizer]):
        """Make the optimizer.

        Args:
          by_scope: optimizers by scope; '' has the variables under no other.
        """
        super().__init__(use_locking=False, name='Scoped')
        self._by_scope = dict(by_scope)

    def apply_gradients(
        self,
        grads_and_vars: Sequence[tuple[tf.Tensor | None, tf.Variable]],
        global_step: tf.Variable | None = None,
        name: str | None = None,
    ) -> tf.Operation:
        """Let each optimizer change its own variables; then count the step.

        Args:
          grads_and_vars: pairs as `compute_gradients` gives them.
          global_step: is increased by one once all variables have changed.
          name: of the operation.

        Raises:
          ValueError: no variable has a gradient.
        """
        parts: dict[str, list[Any]] = {}
        for gradient, variable in grads_and_vars:
            if gradient is not None:
                parts.setdefault(self._scope_of(variable), []).append((gradient, variable))
        if not parts:
            raise ValueError('no variable has a gradient')
        *firsts, last = sorted(parts)
        done = [self._apply(scope, parts[scope]) for scope in firsts]
        # The learning rate follows from the step: it may count only when all have read it.
        with tf.control_dependencies(done):
            done.append(self._apply(last, parts[last], global_step))
        return tf.group(*done, name=name)

    def variables(self) -> list[tf.Variable]:
        """Return all that the optimizers keep."""
        return [variable for each in self._by_scope.values() for variable in each.variables()]

    def _scope_of(self, variable: tf.Variable) -> str:
        return max((s for s in self._by_scope if variable.name.startswith(s)), key=len)

    def _apply(
        self, scope: str, part: list[Any], global_step: tf.Variable | None = None
    ) -> tf.Operation:
        # A scope that ends with a slash is taken as it stands, wherever the call is made.
        with tf.name_scope(f'{scope.rstrip("/")}/') if scope else nullcontext():
            return self._by_scope[scope].apply_gradients(part, global_step)
