"""Keep moving averages of the weights while training, for evaluation and prediction.

Averages of the last steps' weights often classify better than the last weights do (Polyak and
Juditsky 1992, SIAM J. Control Optim. 30). tf.train.ExponentialMovingAverage does not take the
variables of a TF-Hub module, which have no initial value, so these are our own.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from library.checkpoints.scopes import AVERAGES, RESTORED


def averaged_variables(optimizer: tf.compat.v1.train.Optimizer) -> list[tf.Variable]:
    """Return what has a moving average: all variables of checkpoints that hold real numbers.

    Batch norm's own averages are among them. Call it before the optimizer's first step is built.

    Args:
      optimizer: what it holds already, such as a loss scale, is left out.
    """
    own = {id(variable) for variable in optimizer.variables()}
    variables = tf.compat.v1.global_variables()
    # A TF-Hub module under a strategy has each replica's part in the collection, too.
    parts = {id(part) for variable in variables for part in getattr(variable, 'values', ())}
    return [v for v in variables if v.dtype.is_floating and id(v) not in own | parts]


def update_averages(
    variables: Sequence[tf.Variable], decay: float, steps: tf.Tensor
) -> tf.Operation:
    """Move each average, named ema/VARIABLE, towards its variable.

    average -= (1 - d) * (average - variable), where d is 0 at the first step of the run, and then
    the smaller of `decay` and (1 + steps) / (10 + steps): otherwise the initial weights would
    dominate early averages.

    Args:
      variables: what is averaged.
      decay: in (0, 1).
      steps: integer scalar, the steps done before this one.

    Returns:
      The operation; what it must wait for has to be a control dependency of the call.
    """
    done = tf.cast(steps, tf.float32)
    rate = tf.where(done > 0, tf.minimum(decay, (1.0 + done) / (10.0 + done)), 0.0)

    def update(strategy: tf.distribute.Strategy, rate: tf.Tensor) -> tf.Operation:
        averages = [_average_of(variable) for variable in variables]
        return tf.group(
            *(
                # Batch norm's averages, which each replica has, are read as their mean.
                strategy.extended.update(
                    average, _move, args=(strategy.extended.read_var(variable), rate)
                )
                for average, variable in zip(averages, variables, strict=True)
            )
        )

    return tf.distribute.get_replica_context().merge_call(update, args=(rate,))


def averaged_scaffold(decay: float) -> tf.compat.v1.train.Scaffold | None:
    """Let a graph that does not train restore the averages in place of the weights.

    Call it when all variables are there.

    Args:
      decay: what the run trained with; 0 means that there are no averages.

    Returns:
      The Scaffold for the EstimatorSpec, or None where the weights themselves are wanted.
    """
    if not decay:
        return None
    restored = {
        (AVERAGES if variable.dtype.is_floating else '') + variable.op.name: variable
        for variable in tf.compat.v1.global_variables()
    }
    tf.compat.v1.add_to_collection(RESTORED, restored)
    return tf.compat.v1.train.Scaffold(saver=tf.compat.v1.train.Saver(restored))


def _average_of(variable: tf.Variable) -> tf.Variable:
    """Make the average, which starts as its variable does: step 0 can be evaluated as well."""
    with tf.init_scope():
        # One replica's own value, as all begin with the same: their mean would be asked for in the
        # chief of a cluster alone, and wait for the others for ever.
        (local, *_) = tf.distribute.get_strategy().experimental_local_results(variable)
        with tf.control_dependencies([variable.initializer]):
            start = local.read_value()
        return tf.compat.v1.get_variable(
            AVERAGES + variable.op.name,
            initializer=start,
            trainable=False,
            use_resource=True,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )


def _move(average: tf.Variable, value: tf.Tensor, rate: tf.Tensor) -> tf.Operation:
    return average.assign_sub((1.0 - rate) * (average.read_value() - value), read_value=False)
