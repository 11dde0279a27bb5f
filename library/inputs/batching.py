"""Batches to the device that trains on them."""

from __future__ import annotations

import tensorflow as tf

from library.errors import ConfigError


def prefetch_to_device(
    dataset: tf.data.Dataset, device: str, has_strategy: bool
) -> tf.data.Dataset:
    """Copies batches to a device ahead of time; must be the last link of the chain.

    Args:
      dataset: numeric batches; strings cannot travel to a GPU.
      device: 'auto' is the GPU if there is exactly one and no strategy places the batches;
        'none' leaves them on the host; else a device's name, such as '/gpu:0'.
      has_strategy: a tf.distribute strategy feeds its own replicas.

    Raises:
      ConfigError: there is no device of this name.
    """
    if device == 'auto':
        gpus = tf.config.list_physical_devices('GPU')
        device = '/gpu:0' if len(gpus) == 1 and not has_strategy else 'none'
    if device == 'none' or has_strategy:
        return dataset
    known = {
        f'/{d.device_type.lower()}:{d.name.split(":")[-1]}'
        for d in tf.config.list_physical_devices()
    }
    if device.lower() not in known:
        raise ConfigError(
            f'--prefetch_to_device: no device {device!r} here '
            f'(there are {", ".join(sorted(known))})'
        )
    return dataset.apply(tf.data.experimental.prefetch_to_device(device))
