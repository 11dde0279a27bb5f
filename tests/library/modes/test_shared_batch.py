"""A batch that the devices of a run cannot share, once these are counted."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from library.runtime.distribution_kind import MIRRORED, MULTI_WORKER

from extras.cluster.tasks import Cluster, Task
from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ConfigError
from library.modes.checks import check_shared_batch
from library.runtime.distribution import Distribution
from project.options import CATALOG

TASKS = (Task('chief', 0, 'a:1'), Task('worker', 0, 'b:1'))
DEVICES = ('/gpu:0', '/gpu:1', '/gpu:2', '/gpu:3')


def run_of(distribution, **flags):
    flags = {'data_dir': 'data', 'train_batch_size': 'none', **flags}
    words = [f'--{name}={value}' for name, value in flags.items()]
    hparams = resolve(CATALOG, parse(['train', *words], CATALOG, ['train']))
    return SimpleNamespace(hparams=hparams, distribution=distribution)


@pytest.mark.parametrize('name', ['train_batch_size', 'batch_size'])
def test_it_is_refused_with_the_nearest_sizes_and_the_place_where_it_was_set(name):
    distribution = Distribution(MIRRORED, None, 4, None, DEVICES)
    check_shared_batch(run_of(distribution, **{name: 12}))
    refused = f'^--{name} 10 .of 4 replicas.: cannot be divided evenly; .* that can are 8 and 12$'
    with pytest.raises(ConfigError, match=refused):
        check_shared_batch(run_of(distribution, **{name: 10}))


def test_who_does_not_train_leaves_that_to_the_others():
    """It has fewer devices than they may have."""
    evaluator = Cluster(TASKS, Task('evaluator', 0, ''))
    distribution = Distribution(MULTI_WORKER, None, 4, evaluator, ('/cpu:0',))
    check_shared_batch(run_of(distribution, batch_size=10))
