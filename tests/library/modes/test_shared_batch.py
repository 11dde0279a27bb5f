"""A batch that the devices of a run cannot share, once these are counted."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ConfigError
from library.modes.training_checks import check_shared_batch
from library.runtime.distribution import Distribution
from project.options import CATALOG

pytestmark = pytest.mark.graph

DEVICES = ('/gpu:0', '/gpu:1', '/gpu:2', '/gpu:3')


def run_of(distribution, **flags):
    flags = {'data_dir': 'data', 'train_batch_size': 'none', **flags}
    words = [f'--{name}={value}' for name, value in flags.items()]
    hparams = resolve(CATALOG, parse(['train', *words], CATALOG, ['train']))
    return SimpleNamespace(hparams=hparams, distribution=distribution)


@pytest.mark.parametrize('name', ['train_batch_size', 'batch_size'])
def test_it_is_refused_with_the_nearest_sizes_and_the_place_where_it_was_set(name):
    distribution = Distribution(None, 4, DEVICES)
    check_shared_batch(run_of(distribution, **{name: 12}))
    refused = f'^--{name} 10 .of 4 replicas.: cannot be divided evenly; .* that can are 8 and 12$'
    with pytest.raises(ConfigError, match=refused):
        check_shared_batch(run_of(distribution, **{name: 10}))
