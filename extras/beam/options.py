"""Choose Beam by --runner, and check what goes together. Imports no Beam, no TensorFlow."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from library.config.catalog import Catalog
from library.config.command_line import CommandLine
from library.config.fields import COMMAND_LINE, Options, option
from library.config.hparams import read_options
from library.errors import ConfigError
from library.preparation.converter import WriteShards


@dataclass(frozen=True)
class BeamOptions(Options, group='running', home=COMMAND_LINE):
    """Which machines convert."""

    runner: str | None = option(
        None,
        'Run on Apache Beam with this runner, such as DirectRunner or DataflowRunner (needs '
        'requirements-beam.txt); none: on this machine.',
    )
    pipeline_options: str | None = option(
        None, "Apache Beam's own options as one text, such as '--project=P --region=R'."
    )


def shard_writer(command_line: CommandLine, catalog: Catalog) -> WriteShards | None:
    """Make what writes shards on Beam; None where nobody asked for it.

    Raises:
      ConfigError: the options do not go together.
    """
    options = read_options(BeamOptions, command_line, catalog)
    _check(command_line.values)
    if options.runner is None:
        return None
    from extras.beam.pipeline import write_on_beam

    return partial(
        write_on_beam, runner=options.runner, pipeline_options=options.pipeline_options or ''
    )


def _check(given: Collection[str]) -> None:
    if 'pipeline_options' in given and 'runner' not in given:
        raise ConfigError('--pipeline_options has no effect unless --runner is given')
    if 'workers' in given and 'runner' in given:
        raise ConfigError('--workers counts processes of this machine: not with --runner')
