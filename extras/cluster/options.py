"""Declare the options of a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import PROJECT, Options, option


@dataclass(frozen=True)
class ClusterOptions(
    Options, group='distribution', home=PROJECT, modes=('train', 'train_and_eval')
):
    """How several machines train a model together."""

    distribution: str = option(
        'auto',
        'How devices and machines work together; auto: as the cluster in TF_CONFIG asks, otherwise '
        'mirrored.',
        choices=('auto', 'mirrored', 'multi_worker', 'parameter_server'),
    )
    sync_replicas: bool = option(
        False, 'With parameter servers: collect gradients of several workers for each step.'
    )
    replicas_to_aggregate: int | None = option(
        None,
        'For sync_replicas: how many gradients make a step; none: one of each worker.',
        unit='gradients',
        low=1,
        needs='sync_replicas',
    )
    cluster_timeout: int = option(
        300, 'How long to wait until all tasks of a cluster have started.', unit='s', low=1
    )
    peer_timeout: int = option(
        60,
        'How long a task of a cluster may give no answer until it counts as lost.',
        unit='s',
        low=1,
    )
