"""Bring batches to the device that trains on them."""

from __future__ import annotations

import tensorflow as tf

from library.errors import ConfigError

# Batches that are ready while one is trained on: one more evens out what a single image may cost.
PREFETCHED = 2


def prefetch(dataset: tf.data.Dataset, batches: int | None) -> tf.data.Dataset:
    """Keep batches ready, and the chain as it was written: tf.data does not tune it.

    What tunes it is a thread of the iterator's own, which in TensorFlow 2.15 may miss that the
    iterator has ended; the session then waits for it when it closes, for seconds: at the end of
    trainings and evaluations, and after a signal.

    Args:
      dataset: elements are batches. Numbers of parallel calls must be given.
      batches: how many; None is PREFETCHED.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(batches or PREFETCHED).with_options(options)


def prefetch_to_device(
    dataset: tf.data.Dataset, device: str, has_strategy: bool
) -> tf.data.Dataset:
    """Copy batches to a device ahead of time; must be the last link of the chain.

    Args:
      dataset: numeric batches; strings cannot travel to a GPU.
      device: 'auto' is the GPU if there is exactly one and no strategy places the batches;
        'none' leaves them on the host; otherwise a device's name, such as '/gpu:0'.
      has_strategy: a tf.distribute strategy feeds its own replicas.

    Raises:
      ConfigError: there is no device of this name.
    """
    if device == 'auto':
        gpus = tf.config.get_visible_devices('GPU')
        device = '/gpu:0' if len(gpus) == 1 and not has_strategy else 'none'
    if device == 'none' or has_strategy:
        return dataset
    known = {
        f'/{d.device_type.lower()}:{d.name.split(":")[-1]}' for d in tf.config.get_visible_devices()
    }
    if device.lower() not in known:
        raise ConfigError(
            f'--prefetch_to_device: no device {device!r} here '
            f'(there are {", ".join(sorted(known))})'
        )
    return dataset.apply(tf.data.experimental.prefetch_to_device(device))
