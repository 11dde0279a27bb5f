"""Choose the devices of this machine that train together: the one place that makes a strategy.

The batches of all options are those of all devices together.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import tensorflow as tf

from library.config.hparams import HParams
from library.errors import ConfigError
from library.extras import Extras
from library.runtime.options import DistributionOptions
from library.runtime.tf_config import TF_CONFIG

_REDUCTIONS = {
    'nccl': tf.distribute.NcclAllReduce,
    'hierarchical_copy': tf.distribute.HierarchicalCopyAllReduce,
    'reduction_to_one_device': tf.distribute.ReductionToOneDevice,
}

ModelFn = Callable[..., tf.estimator.EstimatorSpec]
Run = TypeVar('Run')


@dataclass(frozen=True)
class Distribution:
    """What trains a model: the devices of this machine. An extra may derive another kind.

    Attributes:
      strategy: for the RunConfig; None with one device.
      replicas: how many parts a batch is divided into.
      devices: of this process, as TensorFlow names them.
    """

    strategy: tf.distribute.Strategy | None
    replicas: int
    devices: tuple[str, ...]

    @property
    def is_alone(self) -> bool:
        """Return False where other processes train the same model on the same data."""
        return True

    def input_context(
        self, given: tf.distribute.InputContext | None
    ) -> tf.distribute.InputContext | None:
        """Return which share of the training images this process reads, and in which portions.

        Args:
          given: by the Estimator.
        """
        return given

    def wrapped(self, model_fn: ModelFn) -> ModelFn:
        """Wrap the model_fn as the Estimator is to call it."""
        return model_fn

    def run_config(self, session: tf.compat.v1.ConfigProto) -> dict[str, Any]:
        """Return arguments of the RunConfig.

        Args:
          session: the session's settings, to be completed.
        """
        return {'session_config': self.completed(session), 'train_distribute': self.strategy}

    def completed(self, config: tf.compat.v1.ConfigProto) -> tf.compat.v1.ConfigProto:
        """Complete the session's settings with what these devices take."""
        config.device_count['CPU'] = max(1, sum(d.startswith('/cpu') for d in self.devices))
        return with_visible_gpus(config)

    def describe(self, batch_size: int) -> str | None:
        """Describe what trains, as a line for the start of a run; None with one device.

        Args:
          batch_size: images in a step, over all devices.
        """
        if len(self.devices) == 1:
            return None
        who = f'{len(self.devices)} devices ({", ".join(self.devices)})'
        share = batch_size // self.replicas
        return f'training on {who}: batches of {batch_size}, {share} on each'

    def train(self, run: Run, alone: Callable[[Run], None]) -> None:
        """Do this process's part of a training run.

        Args:
          run: the Experiment.
          alone: does all of it, on one machine.
        """
        alone(run)


def make_distribution(hparams: HParams, extras: Extras) -> Distribution:
    """Choose the devices of a run; to be called before TensorFlow uses any.

    Args:
      hparams: those of training name devices; other modes have no such options.
      extras: those of this clone, which one machine does without.

    Raises:
      ConfigError: there are not so many GPUs.
    """
    del extras
    # TensorFlow reads it in many places, and would look for other machines.
    os.environ.pop(TF_CONFIG, None)
    return of_one_machine(devices_asked(hparams))


def devices_asked(hparams: HParams) -> DistributionOptions:
    """Return the options that name devices; in modes that have none, their defaults."""
    return hparams.take(DistributionOptions) if trains(hparams) else DistributionOptions()


def trains(hparams: HParams) -> bool:
    """Return whether the mode trains."""
    return 'num_gpus' in hparams


def of_one_machine(options: DistributionOptions) -> Distribution:
    """Choose the devices of this machine, and a strategy over several; see `make_distribution`."""
    devices = show_devices(options)
    strategy = None
    if len(devices) > 1:
        strategy = tf.distribute.MirroredStrategy(devices, _reduction(options, devices))
    return Distribution(strategy, len(devices), tuple(devices))


def show_devices(options: DistributionOptions) -> list[str]:
    """Choose the devices of this machine that train, and hide all other GPUs.

    Raises:
      ConfigError: there are not so many GPUs.
    """
    if options.cpu_replicas:
        tf.config.set_visible_devices([], 'GPU')
        (cpu,) = tf.config.list_physical_devices('CPU')
        logical = [tf.config.LogicalDeviceConfiguration()] * options.cpu_replicas
        tf.config.set_logical_device_configuration(cpu, logical)
        return [f'/cpu:{number}' for number in range(options.cpu_replicas)]
    gpus = tf.config.list_physical_devices('GPU')
    wanted = options.num_gpus
    if wanted is None:
        wanted = min(1, len(gpus))
    if wanted > len(gpus):
        raise ConfigError(
            f'--num_gpus {wanted}: TensorFlow finds {len(gpus) or "none"} here (-1: all, 0: none)'
        )
    wanted = len(gpus) if wanted == -1 else wanted
    # A strategy between machines, and TensorFlow's memory, would take all that it sees.
    tf.config.set_visible_devices(gpus[:wanted], 'GPU')
    return [f'/gpu:{number}' for number in range(wanted)] or ['/cpu:0']


def count_gpus(devices: list[str]) -> int:
    """Return how many of these devices are GPUs."""
    return sum(device.startswith('/gpu') for device in devices)


def with_visible_gpus(config: tf.compat.v1.ConfigProto) -> tf.compat.v1.ConfigProto:
    """Hide from a session, by its settings, the GPUs that are hidden from TensorFlow.

    A session with settings of its own does not look at which devices are visible.
    """
    visible = len(tf.config.get_visible_devices('GPU'))
    if visible < len(tf.config.list_physical_devices('GPU')):
        config.device_count['GPU'] = visible
    return config


def _reduction(options: DistributionOptions, devices: list[str]) -> tf.distribute.CrossDeviceOps:
    """Return how the devices of this machine sum up.

    TensorFlow's own choice waits for ever on a CPU with fewer threads than devices.
    """
    auto = 'nccl' if count_gpus(devices) else 'reduction_to_one_device'
    name = auto if options.all_reduce_alg == 'auto' else options.all_reduce_alg
    return _REDUCTIONS[name]()
