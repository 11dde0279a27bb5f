"""Chains whose work is dealt out to the workers of a tf.data service."""

from __future__ import annotations

import itertools
import re
import signal
import socket
import subprocess
import time

import pytest
import tensorflow as tf

from extras.data_service.job import begin_job, job_name
from extras.data_service.service import (
    count_workers,
    distribute_to_service,
    main,
)
from library.errors import ConfigError, ResourceError
from tests.library.inputs.test_epoch_stream import EXAMPLES, batches_of, pairs
from tests.processes import running

pytestmark = pytest.mark.train

service = tf.data.experimental.service


@pytest.fixture
def start():
    """Starts a dispatcher and workers in this process; gives the dispatcher's address."""
    servers = []

    def call(workers):
        dispatcher = service.DispatchServer(service.DispatcherConfig(port=0))
        address = dispatcher.target.removeprefix('grpc://')
        servers.append(dispatcher)
        for _ in range(workers):
            servers.append(service.WorkerServer(service.WorkerConfig(address)))
        return address

    yield call
    for server in reversed(servers):
        server._stop()


@pytest.mark.parametrize('first', [0, 52])
def test_one_worker_gives_the_same_batches_in_the_same_order(start, first):
    address = start(1)
    assert count_workers(address) == 1
    remote = distribute_to_service(batches_of(first), f'grpc://{address}')
    assert pairs(remote, 30) == pairs(batches_of(first), 30)


def test_two_workers_give_each_example_of_each_epoch_once(start):
    address = start(2)
    shards = count_workers(address)
    assert shards == 2
    remote = distribute_to_service(batches_of(shards=shards), address)
    fed = []
    # One worker may be ahead of the other; ten epochs are more than enough for the first to end.
    for batch in itertools.islice(remote, 10 * EXAMPLES // 4):
        fed += pairs([batch], 1)
        if set(range(2 * EXAMPLES)) <= {number for number, _ in fed}:
            break
    numbers = [number for number, _ in fed]
    assert len(numbers) == len(set(numbers))
    first_epochs = sorted(pair for pair in fed if pair[0] < 2 * EXAMPLES)
    assert first_epochs == pairs(batches_of(), 2 * EXAMPLES // 4)


def test_every_reader_has_a_stream_of_its_own(start):
    remote = distribute_to_service(batches_of(), start(1))
    assert pairs(remote, 5) == pairs(remote, 5)


def test_readers_that_name_the_same_job_share_one_stream(start):
    address = start(1)
    # Two programs, so two data sets: going twice over one is two streams again.
    readers = [iter(distribute_to_service(batches_of(), address, job='one run')) for _ in '12']
    fed = [pair for _ in range(6) for reader in readers for pair in pairs([next(reader)], 1)]
    assert len(set(fed)) == len(fed)


def test_a_shared_stream_is_that_of_its_first_reader(start):
    address = start(1)
    # One that comes back finds another step than the others found.
    readers = [
        iter(distribute_to_service(batches_of(first), address, job='one run'))
        for first in (0, 4000)
    ]
    fed = [number for _ in range(4) for each in readers for number, _ in pairs([next(each)], 1)]
    assert len(set(fed)) == len(fed) == 32
    assert max(fed) < 4000


def test_a_name_that_was_used_gives_the_rest_and_that_of_a_new_start_the_beginning(start, tmp_path):
    address = start(1)

    def first_number(job):
        return pairs(distribute_to_service(batches_of(), address, job), 1)[0][0]

    begin_job(str(tmp_path))
    used = job_name(str(tmp_path))
    assert first_number(used) == 0
    assert first_number(used) > 0
    begin_job(str(tmp_path))
    assert first_number(job_name(str(tmp_path))) == 0


class Losses(tf.estimator.SessionRunHook):
    """Takes down the loss of each step."""

    def __init__(self, loss, seen):
        self.loss, self.seen = loss, seen

    def before_run(self, run_context):
        return tf.estimator.SessionRunArgs(self.loss)

    def after_run(self, run_context, run_values):
        self.seen.append(float(run_values.results))


def test_an_estimator_trains_on_a_service_as_it_does_without(start, tmp_path):
    address = start(1)

    def train(name, remote):
        losses = []

        def input_fn():
            dataset = batches_of().map(
                lambda numbers, records: (tf.one_hot(records % 3, 3), tf.cast(records, tf.float32))
            )
            return distribute_to_service(dataset, address) if remote else dataset

        def model_fn(features, labels, mode):
            weights = tf.compat.v1.get_variable('weights', [3, 1])
            loss = tf.reduce_mean(tf.square(tf.squeeze(features @ weights, 1) - labels))
            step = tf.compat.v1.train.get_or_create_global_step()
            train_op = tf.compat.v1.train.GradientDescentOptimizer(0.001).minimize(loss, step)
            hooks = [Losses(loss, losses)]
            return tf.estimator.EstimatorSpec(
                mode, loss=loss, train_op=train_op, training_hooks=hooks
            )

        config = tf.estimator.RunConfig(str(tmp_path / name), tf_random_seed=1)
        tf.estimator.Estimator(model_fn, config=config).train(input_fn, steps=12)
        return losses

    local = train('local', remote=False)
    assert len(local) == 12
    assert train('remote', remote=True) == local


def test_nobody_at_the_address_is_one_line_at_once():
    started = time.monotonic()
    with pytest.raises(ResourceError, match=r'no dispatcher .* answers at localhost:1 \(unava'):
        count_workers('grpc://localhost:1')
    assert time.monotonic() - started < 10


def test_a_host_that_does_not_exist_is_one_line():
    with pytest.raises(ResourceError, match=r'answers at nobody.invalid:5050 \('):
        count_workers('nobody.invalid:5050', patience=5)


def test_a_listener_that_says_nothing_is_not_waited_for():
    with socket.create_server(('localhost', 0)) as silent:
        started = time.monotonic()
        with pytest.raises(ResourceError, match=r'deadline_exceeded|unavailable'):
            count_workers(f'localhost:{silent.getsockname()[1]}', patience=1)
        assert time.monotonic() - started < 5


def test_another_server_than_a_dispatcher_is_refused(start):
    worker = service.WorkerServer(service.WorkerConfig(start(0)))
    with pytest.raises(ResourceError, match=r'no dispatcher .* \(unimplemented\)'):
        count_workers(worker._address)
    worker._stop()


def test_a_service_without_workers_is_refused(start):
    address = start(0)
    with pytest.raises(ResourceError, match=f'{address} has no workers'):
        count_workers(address)


@pytest.mark.parametrize('address', ['localhost', 'http://localhost:80', 'host:port', ':5050', ''])
def test_what_is_no_address_is_a_wrong_option(address):
    with pytest.raises(ConfigError, match='must read host:port'):
        count_workers(address)
    with pytest.raises(ConfigError, match='must read host:port'):
        distribute_to_service(batches_of(), address)


def test_a_worker_without_a_dispatcher_to_join_ends_with_one_line(capsys):
    assert main(['worker', '--dispatcher', 'localhost:1']) == ResourceError.exit_code
    assert re.fullmatch(r'error: no dispatcher .*localhost:1 .*\n', capsys.readouterr().err)


def test_a_server_refuses_a_port_in_use(capsys):
    with socket.create_server(('', 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(['dispatcher', '--port', port]) == ResourceError.exit_code
    assert re.fullmatch(rf'error: --port {port}: .+\n', capsys.readouterr().err)


@pytest.mark.parametrize('words', [['worker'], ['dispatcher', '--dispatcher', 'localhost:1'], []])
def test_a_server_started_wrongly_says_how(words, capsys):
    with pytest.raises(SystemExit) as error:
        main(words)
    assert error.value.code == 2
    assert 'usage: python -m extras.data_service.service' in capsys.readouterr().err


@pytest.fixture(scope='module')
def processes():
    """A dispatcher and a worker, each in a process of its own; gives both and the address."""
    words, pipe = ['-m', 'extras.data_service.service'], {'stdout': subprocess.PIPE}
    where = ['--host', 'localhost']
    with running(*words, 'dispatcher', *where, **pipe) as dispatcher:
        address = dispatcher.stdout.readline().split()[-1]
        with running(*words, 'worker', '--dispatcher', address, *where, **pipe) as worker:
            worker.stdout.readline()
            yield [dispatcher, worker], address


def test_the_command_starts_servers_that_feed(processes):
    _, address = processes
    assert count_workers(address) == 1
    assert pairs(distribute_to_service(batches_of(), address), 12) == pairs(batches_of(), 12)


def test_a_chain_that_calls_python_cannot_travel(processes):
    _, address = processes
    dataset = batches_of().map(
        lambda numbers, records: tf.numpy_function(lambda each: each, [numbers], tf.int64)
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match='Could not find callback'):
        next(iter(distribute_to_service(dataset, address)))


def test_ctrl_c_ends_a_server_in_good_order(processes):
    for process in reversed(processes[0]):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
