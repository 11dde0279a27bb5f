"""What TF_CONFIG and the options of training must agree on, before TensorFlow is imported."""

from __future__ import annotations

import json

import pytest

from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ConfigError
from project.options import CATALOG, check
from tests.conftest import ROOT


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


def values(words, mode='train'):
    return resolve(CATALOG, parse([mode, *words.split()], CATALOG, ['train', 'evaluate']))


def refusal(words):
    with pytest.raises(ConfigError) as error:
        check(values(words), 'train')
    return str(error.value)


def test_a_wrong_cluster_ends_training_and_no_other_mode(monkeypatch):
    monkeypatch.setenv('TF_CONFIG', '[]')
    assert refusal('').startswith('TF_CONFIG: it is [], no object in braces')
    check(values('', 'evaluate'), 'evaluate')


def test_a_batch_is_told_with_the_place_that_gave_it(write, in_cluster):
    in_cluster(worker=2)
    sets = write('default:\n  batch_size: 32\n')
    assert refusal(f'--config_file {sets}') == (
        f"{sets}:2: key 'batch_size' 32 (of 3 replicas): cannot be divided evenly; "
        'the nearest that can are 30 and 33'
    )
    assert refusal('--train_batch_size 4').startswith('--train_batch_size 4 (of 3 replicas): ')
    check(values('--train_batch_size 6 --eval_batch_size 4'), 'train')


def test_the_batch_of_devices_of_one_machine_is_checked():
    assert refusal('--cpu_replicas 2 --train_batch_size 5').startswith(
        '--train_batch_size 5 (of 2 replicas)'
    )
    assert refusal('--num_gpus 4 --train_batch_size 6').startswith(
        '--train_batch_size 6 (of 4 replicas)'
    )
    # How many all are, TensorFlow knows.
    check(values('--num_gpus -1 --train_batch_size 5'), 'train')
    check(values('--num_gpus 0 --train_batch_size 5'), 'train')


def test_a_batch_of_one_worker_beside_parameter_servers_is_whole(in_cluster):
    in_cluster(worker=1, ps=1)
    check(values('--train_batch_size 5'), 'train')
    assert refusal('--train_batch_size 5 --sync_replicas').startswith(
        '--train_batch_size 5 (of 2 replicas)'
    )


def test_a_cluster_trains_in_one_folder(in_cluster):
    check(values('--time_stamped'), 'train')
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
    check(values('--dtype float32'), 'train')


@pytest.mark.parametrize(('gpus', 'least'), [('', 2), ('--num_gpus 4', 5)])
def test_threads_that_would_wait_for_ever_are_refused(in_cluster, gpus, least):
    check(values('--inter_op_threads 1 --train_batch_size 8'), 'train')
    in_cluster(worker=1)
    assert refusal(f'--inter_op_threads {least - 1} --train_batch_size 8 {gpus}') == (
        f'--inter_op_threads {least - 1}: the tasks would wait for each other for ever; '
        f'multi_worker takes at least {least}'
    )
    check(values(f'--inter_op_threads {least} --train_batch_size 8 {gpus}'), 'train')


def test_how_many_gradients_make_a_step_takes_that_they_are_collected(in_cluster):
    in_cluster(worker=1, ps=1)
    assert refusal('--replicas_to_aggregate 2') == (
        '--replicas_to_aggregate is not used by this run: it takes --sync_replicas'
    )
    check(values('--replicas_to_aggregate 2 --sync_replicas'), 'train')
