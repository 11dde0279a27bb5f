"""Hand the chain of training images to a tf.data service, which deals it out to its workers.

A worker runs the whole chain and sends finished batches. To divide the work among workers, the
source of the chain is a count of the shards of all epochs (library/inputs/epoch_stream.py), and the
service deals these out. With one worker the batches are those of a run without the service, in the
same order.
Tasks of a cluster share one such stream, by its name (see job.py).

`python -m extras.data_service.service --help` starts the servers.
"""

from __future__ import annotations

import argparse
import re
import socket
import sys
import threading
import warnings
from collections.abc import Sequence

import tensorflow as tf

from extras.data_service.job import job_name
from library.config.hparams import HParams
from library.errors import ConfigError, ResourceError, ScaffoldError

# Long enough for a name server and a busy machine; the service itself would try for an hour.
PATIENCE_SECONDS = 10.0


def shards_of(hparams: HParams) -> int:
    """Count the parts that an epoch is cut into; raises as `count_workers`."""
    return count_workers(hparams.data_service)


def distribute(dataset: tf.data.Dataset, hparams: HParams, several: bool) -> tf.data.Dataset:
    """Let the workers of the service of a run prepare its batches.

    Args:
      dataset: batches of images and labels, over the parts of `shards_of`.
      hparams: every option of the run.
      several: processes train together, and share one stream of batches.

    Raises:
      ResourceError: several processes train, and the chief named no stream for them.
    """
    job = job_name(hparams.model_dir) if several else None
    return distribute_to_service(dataset, hparams.data_service, job)


def count_workers(address: str, patience: float = PATIENCE_SECONDS) -> int:
    """Count the workers of a service; an epoch is best cut into as many shards.

    Args:
      address: 'host:port' or 'grpc://host:port' of the dispatcher.
      patience: seconds to wait for an answer.

    Raises:
      ConfigError: this is no address.
      ResourceError: no dispatcher answers there, or it has no workers. tf.data itself would wait
        without a word.
    """
    workers = _ask_for_workers(address, patience)
    if not workers:
        raise ResourceError(f'the tf.data service at {address} has no workers: start one')
    return workers


def distribute_to_service(
    dataset: tf.data.Dataset, address: str, job: str | None = None
) -> tf.data.Dataset:
    """Let the workers of a service run all links before this one.

    Belongs behind the last map: what follows runs in the program that trains. A chain that calls
    Python (tf.numpy_function, from_generator) cannot travel.

    Args:
      dataset: its source is dealt out, as that of `repeat_epochs`.
      address: 'host:port' or 'grpc://host:port' of the dispatcher.
      job: readers that give the same name share one stream, that of the first of them, and each
        batch goes to one of them; None is a stream for each reader, which ends with it.
    """
    service = tf.data.experimental.service
    distribute = service.distribute(
        service.ShardingPolicy.DYNAMIC,
        f'grpc://{_host_and_port(address)}',
        job_name=job,
        # Compression makes pixels a fifth smaller, and doubles the work of the program that trains.
        compression=None,
    )
    with warnings.catch_warnings():
        # In a graph tf.data warns about how it reads one of its own options; none is set.
        warnings.filterwarnings('ignore', 'To make it possible to preserve tf.data', UserWarning)
        return dataset.apply(distribute)


def main(argv: Sequence[str]) -> int:
    """Run a server until it is stopped; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog='python -m extras.data_service.service',
        description='Starts a server of tf.data service: one dispatcher, then any workers.',
    )
    parser.add_argument('role', choices=('dispatcher', 'worker'))
    parser.add_argument('--port', type=int, default=0, help='port to listen on (default: any)')
    parser.add_argument('--dispatcher', help="a worker's dispatcher, host:port")
    parser.add_argument(
        '--host',
        default=socket.gethostname(),
        help='name of this machine for the program that trains (default: %(default)s)',
    )
    options = parser.parse_args(argv)
    if (options.role == 'worker') != bool(options.dispatcher):
        parser.error('--dispatcher belongs to a worker, and a worker needs it')
    try:
        server, address = _start(options.role, options.host, options.port, options.dispatcher)
    except ScaffoldError as error:
        print(f'error: {error}', file=sys.stderr)
        return error.exit_code
    try:
        print(f'{options.role} at {address}', flush=True)
        # server.join() would not hear Ctrl-C.
        threading.Event().wait()
    except KeyboardInterrupt:
        del server
    return 0


def _host_and_port(address: str) -> str:
    """Take the protocol off an address."""
    match = re.fullmatch(r'(?:grpc://)?([^\s:/]+:\d+)', address)
    if not match:
        raise ConfigError(
            f'tf.data service at {address!r}: must read host:port or grpc://host:port'
        )
    return match[1]


def _ask_for_workers(address: str, patience: float) -> int:
    """Ask a dispatcher for the number of its workers, perhaps none."""
    # Here, because most runs have no service.
    import grpc
    from google.protobuf.empty_pb2 import Empty
    from google.protobuf.unknown_fields import UnknownFieldSet

    target = _host_and_port(address)
    with grpc.insecure_channel(target) as channel:
        ask = channel.unary_unary('/tensorflow.data.DispatcherService/GetWorkers')
        try:
            answer = ask(b'', timeout=patience)
        except grpc.RpcError as error:
            raise ResourceError(
                f'no dispatcher of a tf.data service answers at {target} '
                f'({error.code().name.lower()})'
            ) from error
    # One field for each worker; the message itself is not part of the package.
    return len(UnknownFieldSet(Empty.FromString(answer)))


def _start(role: str, host: str, port: int, dispatcher: str | None) -> tuple[object, str]:
    """Start a server; gives it and its address."""
    service = tf.data.experimental.service
    port = _free_port(port)
    address = f'{host}:{port}'
    try:
        if dispatcher is None:
            return service.DispatchServer(service.DispatcherConfig(port=port)), address
        # A worker would try for an hour.
        _ask_for_workers(dispatcher, PATIENCE_SECONDS)
        config = service.WorkerConfig(_host_and_port(dispatcher), address, port)
        return service.WorkerServer(config), address
    except tf.errors.OpError as error:
        raise ResourceError(f'the {role} cannot start: {error.message}') from error


def _free_port(port: int) -> int:
    """Give this port, or a free one for 0; refuses one in use: two servers would share calls."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('', port))
        except (OSError, OverflowError) as error:
            raise ResourceError(f'--port {port}: {getattr(error, "strerror", error)}') from error
        return int(probe.getsockname()[1])


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
