"""What TF_CONFIG and the options of training must agree on, before TensorFlow is imported."""

from __future__ import annotations

import json

import pytest

from extras.cluster.distribution_checks import check_distribution
from library.config.command_line import parse
from library.config.hparams import resolve
from library.config.needs import check_used
from library.errors import ConfigError
from run import CATALOG
from tests.conftest import ROOT

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv('TF_CONFIG', raising=False)


@pytest.fixture
def in_cluster(monkeypatch):
    """Makes this process the chief of a cluster."""

    def call(**jobs):
        cluster = {job: [f'{job}{i}:1' for i in range(count)] for job, count in jobs.items()}
        config = {'cluster': {'chief': ['a:1'], **cluster}, 'task': {'type': 'chief', 'index': 0}}
        monkeypatch.setenv('TF_CONFIG', json.dumps(config))

    return call


def values(words):
    return resolve(CATALOG, parse(['train', *words.split()], CATALOG, ['train']))


def check(words):
    check_distribution(values(words))


def refusal(words):
    with pytest.raises(ConfigError) as error:
        check(words)
    return str(error.value)


def test_what_describes_no_cluster_is_refused(monkeypatch):
    monkeypatch.setenv('TF_CONFIG', '[]')
    assert refusal('').startswith('TF_CONFIG: it is [], not an object in braces')


def test_a_batch_is_reported_with_the_place_that_gave_it(write, in_cluster):
    in_cluster(worker=2)
    sets = write('default:\n  batch_size: 32\n')
    assert refusal(f'--config_file {sets}') == (
        f"{sets}:2: key 'batch_size' 32 (of 3 replicas): cannot be divided evenly; "
        'the nearest that can are 30 and 33'
    )
    assert refusal('--train_batch_size 4').startswith('--train_batch_size 4 (of 3 replicas): ')
    check('--train_batch_size 6 --eval_batch_size 4')


def test_a_batch_of_one_worker_beside_parameter_servers_is_whole(in_cluster):
    in_cluster(worker=1, ps=1)
    check('--train_batch_size 5')
    assert refusal('--train_batch_size 5 --sync_replicas').startswith(
        '--train_batch_size 5 (of 2 replicas)'
    )


def test_a_cluster_trains_in_one_folder(in_cluster):
    check('--time_stamped')
    in_cluster(worker=1)
    assert refusal('--time_stamped') == (
        '--time_stamped: each task of a cluster would train in a folder of its own; '
        'give all the same --model_dir instead'
    )


def test_parameter_servers_take_no_loss_scale(in_cluster):
    in_cluster(worker=1, ps=1)
    assert refusal('--dtype float16') == (
        '--dtype float16: with parameter servers all workers would change one loss scale'
    )
    check('--dtype float32')


@pytest.mark.parametrize(('gpus', 'least'), [('', 2), ('--num_gpus 4', 5)])
def test_threads_that_would_wait_for_ever_are_refused(in_cluster, gpus, least):
    check('--inter_op_threads 1 --train_batch_size 8')
    in_cluster(worker=1)
    assert refusal(f'--inter_op_threads {least - 1} --train_batch_size 8 {gpus}') == (
        f'--inter_op_threads {least - 1}: the tasks would wait for each other for ever; '
        f'multi_worker takes at least {least}'
    )
    check(f'--inter_op_threads {least} --train_batch_size 8 {gpus}')


def test_how_many_gradients_make_a_step_takes_that_they_are_collected(in_cluster):
    in_cluster(worker=1, ps=1)
    with pytest.raises(ConfigError) as error:
        check_used(values('--replicas_to_aggregate 2'))
    assert str(error.value) == (
        '--replicas_to_aggregate is not used by this run: it takes --sync_replicas'
    )
    both = '--replicas_to_aggregate 2 --sync_replicas'
    check_used(values(both))
    check(both)
