"""Turns labelled images into JPEG TFRecords for run.py.

Takes a folder of images with one folder per class, a CSV file, or CIFAR or IDX files as
downloaded. With --verify it checks what was converted before.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Collection, Sequence

from library.config.catalog import Catalog
from library.config.command_line import help_text, parse
from library.config.hparams import read_options
from library.errors import ConfigError, DataError
from library.preparation.converter import WriteShards, convert
from library.preparation.formats import FORMATS
from library.preparation.labels import read_labels, relabel
from library.preparation.options import (
    ConversionOptions,
    RunnerOptions,
    SourceOptions,
    SplitOptions,
)
from library.preparation.output import Output
from library.preparation.pool import write_on_this_machine
from library.preparation.recipe import Recipe
from library.preparation.splits import parse_shares
from library.preparation.summary import SHOWN, summarize
from library.records.listing import is_split_name
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow
from project.sources import SourceChoice, check_flags, find_source, source_class

CATALOG = Catalog(
    (SourceChoice, SourceOptions, ConversionOptions, SplitOptions, RunnerOptions), {}, {}
)


# A name of 255 bytes is the most that file systems take; shards add theirs.
LONGEST_NAME = 200


def main(argv: list[str]) -> int:
    """Converts a data set, or verifies one; returns the exit code."""
    command_line = parse(argv, CATALOG)
    if command_line.wants_help:
        print(help_text('convert_dataset.py', __doc__, CATALOG))
        return 0
    running = read_options(RunnerOptions, command_line)
    quiet_tensorflow(running.verbose)
    if running.verify is not None:
        return _verify(running.verify)
    choice = read_options(SourceChoice, command_line)
    source_options = read_options(SourceOptions, command_line)
    conversion = read_options(ConversionOptions, command_line)
    splitting = read_options(SplitOptions, command_line)
    started = time.monotonic()
    shares = parse_shares(splitting.splits) if splitting.splits else None
    output = _output(source_options, conversion, shares)
    labels = read_labels(source_options.labels) if source_options.labels else None
    source = choice.source or find_source(source_options.dataset_dir)
    _check_unused(command_line.values, source)
    listing = source_class(source)(source_options, output).listing()
    if labels:
        names, listing = listing.class_names, relabel(listing, labels)
        _tell_positions(names, labels)
    conversion_done = convert(
        listing,
        output,
        Recipe(conversion.max_edge, conversion.quality, (*FORMATS, *conversion.extra_formats)),
        _writer(running),
        num_shards=conversion.num_shards,
        random_seed=conversion.random_seed,
        max_bad_fraction=conversion.max_bad_fraction,
        shares=shares,
        split_by=splitting.split_by,
        duplicates=splitting.duplicates,
    )
    for line in summarize(conversion_done, output, time.monotonic() - started):
        print(line)
    return 0


def _verify(data_dir: str) -> int:
    """Prints what is wrong with converted images; returns 0 if nothing is."""
    from library.preparation.verification import verify

    problems = 0
    for problem in verify(data_dir):
        print(problem)
        problems += 1
    if problems:
        count = '1 problem' if problems == 1 else f'{problems} problems'
        raise DataError(f'{data_dir}: {count}, named above')
    print(f'{data_dir}: every record is as it was written')
    return 0


def _output(
    source: SourceOptions, conversion: ConversionOptions, shares: dict[str, float] | None
) -> Output:
    """Where to write, once all that must be given is given and makes sense."""
    for options, name in (
        (source, 'dataset_dir'),
        (conversion, 'tfrecord_dir'),
        (conversion, 'max_edge'),
    ):
        if getattr(options, name) is None:
            raise ConfigError(f'--{name} is missing (see --help)')
    name = conversion.tfrecord_filename
    if name is not None and not (is_split_name(name) and len(os.fsencode(name)) <= LONGEST_NAME):
        raise ConfigError(
            f'--tfrecord_filename {name}: a name of at most {LONGEST_NAME} bytes, without folders '
            f'(those belong in --tfrecord_dir)'
        )
    if any('\udc80' <= letter <= '\udcff' for letter in conversion.tfrecord_dir):
        raise ConfigError('--tfrecord_dir: its name is no UTF-8, as TensorFlow needs it')
    return Output(conversion.tfrecord_dir, name, tuple(shares or ()))


def _check_unused(given: Collection[str], source: str) -> None:
    """Raises ConfigError for a flag that would be without effect."""
    check_flags(given, source)
    for name, needed in (('split_by', 'splits'), ('pipeline_options', 'runner')):
        if name in given and needed not in given:
            raise ConfigError(f'--{name} is without effect unless --{needed} is given')
    if 'workers' in given and 'runner' in given:
        raise ConfigError('--workers counts processes of this machine: not with --runner')


def _tell_positions(names: Sequence[str], labels: Sequence[str]) -> None:
    """Says so where numbers of the data set were taken for positions in --labels."""
    known = set(labels)
    shifted = [name for name in names if name not in known]
    if shifted:
        shown = ', '.join(f'{name} = {labels[int(name)]}' for name in shifted[:SHOWN])
        print(f'labels are taken as positions in --labels: {shown}')


def _writer(running: RunnerOptions) -> WriteShards:
    """Who decodes and writes: this machine, or Beam."""
    if running.runner is None:
        return functools.partial(write_on_this_machine, workers=running.workers)
    from library.preparation.beam import write_on_beam

    return functools.partial(
        write_on_beam, runner=running.runner, pipeline_options=running.pipeline_options or ''
    )


program = functools.partial(run_program, main)  # what the installed command calls

if __name__ == '__main__':
    sys.exit(program())
