"""Declare --data_service, and check what goes together with it. Imports no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import PROJECT, Options, option
from library.config.hparams import HParams
from library.errors import ConfigError

# The modes that read images of a run.
READERS = ('train', 'evaluate', 'export', 'preview')


@dataclass(frozen=True)
class DataServiceOptions(Options, group='data', home=PROJECT):
    """Who prepares training batches."""

    data_service: str | None = option(
        None,
        'Prepare training batches on the tf.data service with this dispatcher, HOST:PORT; none: '
        'in this process.',
        offloads=True,
    )


def check(hparams: HParams, mode: str) -> None:
    """Raise ConfigError where the service could not prepare the training data."""
    if not hparams.data_service:
        return
    # Late: convert_dataset.py imports the options of all extras, and needs no mode of run.py.
    from library.modes.feature_cache.decision import asked_by

    asked = asked_by(hparams, training=True) if mode == 'train' else None
    if asked:
        raise ConfigError(
            f'{asked}: with features there is no work for --data_service; leave one of them out'
        )
    if hparams.train_metadata and not hparams.use_synthetic_data and mode in READERS:
        raise ConfigError(
            '--data_service takes converted images (--data_dir): others are prepared in Python, '
            'which cannot travel'
        )
