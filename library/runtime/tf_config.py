"""Refuse a TF_CONFIG that names several machines, which take an extra; no TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Mapping

from library.errors import ConfigError
from library.extras import CLUSTER

TF_CONFIG = 'TF_CONFIG'


def check_no_cluster(environ: Mapping[str, str]) -> None:
    """Raise ConfigError unless TF_CONFIG is unset, or names one task that trains.

    Args:
      environ: the environment of the process.
    """
    if TF_CONFIG in environ and _has_several_tasks(environ[TF_CONFIG]):
        raise ConfigError(
            f'TF_CONFIG: names a cluster of several tasks, which takes extras/{CLUSTER}, and this '
            f'clone does not have it'
        )


def _has_several_tasks(text: str) -> bool:
    try:
        config = json.loads(text)
        tasks = sum(len(addresses) for addresses in config.get('cluster', {}).values())
        return tasks > 1 or config.get('task', {}).get('type') == 'evaluator'
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise ConfigError('TF_CONFIG: cannot be read; unset it to train on one machine') from None
