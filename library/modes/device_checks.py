"""Check the devices that a run asks for, before TensorFlow starts; imports no TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from library.config.hparams import HParams
from library.errors import ConfigError
from library.inputs.options import DataOptions
from library.runtime.options import DistributionOptions
from library.runtime.tf_config import check_no_cluster

# How the devices of one machine can sum gradients up, and what of that is for GPUs alone.
MIRRORED = 'mirrored'
REDUCTIONS = ('auto', 'nccl', 'hierarchical_copy', 'reduction_to_one_device')
_OF_GPUS = ('nccl', 'hierarchical_copy')

Place = Callable[[str], str]


def check_distribution(hparams: HParams) -> None:
    """Raise ConfigError where one machine cannot train as the options of a run ask."""
    check_no_cluster(os.environ)
    options = hparams.take(DistributionOptions)
    check_one_kind_of_devices(options, hparams.place)
    check_reduction(options, MIRRORED, REDUCTIONS, hparams.place)
    check_counted_batch(hparams, local_replicas(options, options.num_gpus or 1))


def local_replicas(options: DistributionOptions, gpus: int) -> int:
    """Count the devices of one machine that share a batch.

    Args:
      options: what was asked for.
      gpus: that the machine trains on; 0 and 1 both mean one device.
    """
    return options.cpu_replicas or max(gpus, 1)


def check_one_kind_of_devices(options: DistributionOptions, place: Place) -> None:
    """Raise ConfigError where GPUs and parts of the CPU were asked for."""
    if options.cpu_replicas and options.num_gpus is not None:
        places = f'{place("cpu_replicas")} and {place("num_gpus")}'
        raise ConfigError(f'{places}: give one of them')


def check_reduction(
    options: DistributionOptions, kind: str, legal: Sequence[str], place: Place
) -> None:
    """Raise ConfigError for a way to sum gradients up that there is not.

    Args:
      options: what was asked for.
      kind: names who sums up, for the message.
      legal: the ways that they have; those of GPUs are left out where no GPU trains.
      place: gives where an option of this name was set, for the message.
    """
    without_gpus = bool(options.cpu_replicas) or options.num_gpus == 0
    there = [name for name in legal if not (without_gpus and name in _OF_GPUS)]
    name = options.all_reduce_alg
    if name not in there:
        why = ' without GPUs' if without_gpus and name in legal else ''
        raise ConfigError(
            f'{place("all_reduce_alg")} {name}: not with {kind}{why}; there is {", ".join(there)}'
        )


def check_counted_batch(hparams: HParams, replicas: int) -> None:
    """Check the batch, unless TensorFlow alone knows how many devices there are."""
    if hparams.num_gpus != -1:
        check_training_batch(hparams, replicas)


def check_training_batch(hparams: HParams, replicas: int) -> None:
    """Raise ConfigError unless so many replicas can share each training batch evenly."""
    name = hparams.take(DataOptions).batch_option(training=True)
    check_batch(getattr(hparams, name), replicas, hparams.place(name))


def check_batch(batch_size: int, replicas: int, place: str) -> None:
    """Raise ConfigError, with the nearest sizes, unless the batch can be divided evenly.

    Args:
      batch_size: of all replicas together, in images.
      replicas: how many parts it is divided into.
      place: where the size was set.
    """
    below = batch_size // replicas * replicas
    if below == batch_size:
        return
    above = below + replicas
    nearest = f'that can are {below} and {above}' if below else f'that can is {above}'
    raise ConfigError(
        f'{place} {batch_size} (of {replicas} replicas): cannot be divided evenly; '
        f'the nearest {nearest}'
    )
