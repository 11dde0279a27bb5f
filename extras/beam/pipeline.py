"""Write planned shards on Apache Beam, for more images than one machine should convert.

Each worker writes whole shards with the writer that this machine would use, from the same plan:
with the same Pillow the files are the same; an older one rounds a few shrunk pixels otherwise.
Needs the packages of requirements-beam.txt, and paths that every worker can reach.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from library.cores import count_cores
from library.errors import ConfigError, ResourceError
from library.preparation.encoding_options import EncodingOptions
from library.preparation.plan import PlannedShard
from library.preparation.shard_writer import FinishedShard, read_note, write_shard
from library.preparation.workers import prepare


def write_on_beam(
    shards: Sequence[PlannedShard],
    encoding: EncodingOptions,
    runner: str,
    pipeline_options: str = '',
) -> Iterator[FinishedShard]:
    """Run a pipeline that writes all shards, and wait for its end.

    Args:
      shards: what to write; each is one element, written by one worker.
      encoding: how the images are stored.
      runner: a runner of Beam, such as 'DirectRunner' or 'DataflowRunner'.
      pipeline_options: Beam's own options, as on a command line.

    Raises:
      ResourceError: Beam is not installed, or a shard was not written.
      ConfigError: Beam does not know the runner, or refuses an option.
    """
    try:
        words = shlex.split(pipeline_options)
    except ValueError as error:
        raise ConfigError(f'--pipeline_options {pipeline_options}: {error}') from None
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
    except ImportError:
        raise ResourceError(
            '--runner needs Apache Beam, which lives in an environment of its own: make beam'
        ) from None
    # Beam's own DirectRunner fetches a program from the network first.
    name = 'FnApiRunner' if runner == 'DirectRunner' else runner
    options = PipelineOptions(words, runner=name)
    direct = options.view_as(DirectOptions)
    # By 0 Beam means all cores of the machine, of which this process may not get all.
    if direct.direct_num_workers == 0:
        direct.direct_num_workers = count_cores()
    try:
        pipeline = beam.Pipeline(options=options)
    except ValueError as error:
        raise ConfigError(f'--runner {runner}: {error}') from None
    # Reshuffle: without it one worker might get all, as the elements are made in one place.
    _ = (
        pipeline
        | 'plan' >> beam.Create(list(shards))
        | 'distribute' >> beam.Reshuffle()
        # A lambda has no type hints, of which Beam would say that it cannot read them.
        | 'write' >> beam.Map(lambda shard: write_planned(shard, encoding))
    )
    pipeline.run().wait_until_finish()
    for shard in shards:
        finished = read_note(shard.target, shard.name)
        if finished is None or finished.shard.inputs != shard.inputs:
            raise ResourceError(f'{shard.target.path(shard.name)}: no worker wrote this shard')
        yield finished


def write_planned(shard: PlannedShard, encoding: EncodingOptions) -> str:
    """Prepare and write one shard in a worker; return its name."""
    outcomes = ((image, prepare(image.content, encoding)) for image in shard.images)
    return write_shard(shard, outcomes).shard.name
