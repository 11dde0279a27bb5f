"""Convert labelled images to JPEG TFRecords for run.py.

Takes a folder of images with one folder per class, a CSV file, or what another --source reads.
With --verify it checks what was converted before.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Collection, Sequence
from typing import TypeVar

from library.config.catalog import Catalog
from library.config.command_line import CommandLine, help_text, parse
from library.config.hparams import read_options
from library.cores import find_cores
from library.errors import ConfigError, DataError
from library.extras import find_extras
from library.preparation.converter import WriteShards, convert
from library.preparation.encoding_options import EncodingOptions
from library.preparation.formats import FORMATS
from library.preparation.groups import group_by_name
from library.preparation.labels import read_labels, relabel
from library.preparation.options import (
    ConversionOptions,
    RunnerOptions,
    SourceChoice,
    SourceOptions,
    SplitOptions,
)
from library.preparation.output import Output
from library.preparation.pool import write_on_this_machine
from library.preparation.sources.registry import (
    check_flags,
    find_source,
    joined,
    source_class,
)
from library.preparation.splits import parse_fractions, with_folds
from library.preparation.summary import SHOWN, describe, summarize
from library.records.listing import is_split_name
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow
from project.sources import SOURCES

EXTRAS = find_extras()
ALL_SOURCES = joined(SOURCES, EXTRAS.joined('sources'))
CORE = Catalog(
    (SourceChoice, SourceOptions, ConversionOptions, SplitOptions, RunnerOptions),
    selectors={},
    aliases={},
    choices={'source': tuple(SOURCES)},
)
CATALOG = CORE.extended(EXTRAS.options('convert_options'), {'source': tuple(ALL_SOURCES)})

# A name of 255 bytes is the most that file systems take; shards add theirs.
LONGEST_NAME = 200

Given = TypeVar('Given')


def main(argv: list[str]) -> int:
    """Convert a data set, or verify one; return the exit code."""
    command_line = parse(argv, CATALOG)
    if command_line.wants_help:
        print(help_text('convert_dataset.py', __doc__, CATALOG))
        return 0
    running = read_options(RunnerOptions, command_line, CATALOG)
    quiet_tensorflow(running.verbose)
    if running.verify is not None:
        return _verify(running.verify)
    choice = read_options(SourceChoice, command_line, CATALOG)
    source_options = read_options(SourceOptions, command_line, CATALOG)
    conversion = read_options(ConversionOptions, command_line, CATALOG)
    splitting = read_options(SplitOptions, command_line, CATALOG)
    started = time.monotonic()
    fractions = parse_fractions(splitting.splits) if splitting.splits else None
    if splitting.folds:
        fractions = with_folds(fractions, splitting.folds)
    group_by = splitting.group_by or source_options.group_column
    dataset_dir = _given(source_options.dataset_dir, 'dataset_dir')
    tfrecord_dir = _given(conversion.tfrecord_dir, 'tfrecord_dir')
    max_edge = _given(conversion.max_edge, 'max_edge')
    output = _output(tfrecord_dir, conversion.tfrecord_filename, fractions)
    labels = read_labels(source_options.labels) if source_options.labels else None
    source = choice.source or find_source(ALL_SOURCES, dataset_dir, source_options)
    _check_unused(command_line.values, source)
    write_shards = _shard_writer(command_line, running)
    listing = source_class(ALL_SOURCES, source)(source_options, output).listing()
    for line in describe(listing):
        print(line)
    if labels:
        names, listing = listing.class_names, relabel(listing, labels)
        _print_positions(names, labels)
    if splitting.group_by:
        listing = group_by_name(listing, splitting.group_by)
    conversion_done = convert(
        listing,
        output,
        EncodingOptions(max_edge, conversion.quality, (*FORMATS, *conversion.extra_formats)),
        write_shards,
        num_shards=conversion.num_shards,
        random_seed=conversion.random_seed,
        max_bad_fraction=conversion.max_bad_fraction,
        fractions=fractions,
        split_by=splitting.split_by,
        duplicates=splitting.duplicates,
        group_by=group_by,
    )
    for line in summarize(conversion_done, output, time.monotonic() - started):
        print(line)
    return 0


def _verify(data_dir: str) -> int:
    """Print what is wrong with converted images; return 0 if nothing is."""
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


def _given(value: Given | None, name: str) -> Given:
    """Return the value of a required flag."""
    if value is None:
        raise ConfigError(f'--{name} is missing (see --help)')
    return value


def _output(tfrecord_dir: str, name: str | None, fractions: dict[str, float] | None) -> Output:
    """Find where to write, after checking that the place is free."""
    if name is not None and not (is_split_name(name) and len(os.fsencode(name)) <= LONGEST_NAME):
        raise ConfigError(
            f'--tfrecord_filename {name}: a name of at most {LONGEST_NAME} bytes, without folders '
            f'(those belong in --tfrecord_dir)'
        )
    if any('\udc80' <= letter <= '\udcff' for letter in tfrecord_dir):
        raise ConfigError('--tfrecord_dir: its name is not UTF-8, which TensorFlow needs')
    return Output(tfrecord_dir, name, tuple(fractions or ()))


def _check_unused(given: Collection[str], source: str) -> None:
    """Raise ConfigError for a flag that would have no effect."""
    check_flags(ALL_SOURCES, given, source)
    if 'group_by' in given and 'group_column' in given:
        raise ConfigError('--group_by and --group_column: give one of them')
    for name in ('split_by', 'group_by', 'group_column'):
        if name in given and not {'splits', 'folds'} & set(given):
            raise ConfigError(f'--{name} has no effect unless --splits or --folds is given')


def _print_positions(names: Sequence[str], labels: Sequence[str]) -> None:
    """Say where numbers of the data set were taken for positions in --labels."""
    known = set(labels)
    shifted = [name for name in names if name not in known]
    if shifted:
        shown = ', '.join(f'{name} = {labels[int(name)]}' for name in shifted[:SHOWN])
        print(f'labels are taken as positions in --labels: {shown}')


def _shard_writer(command_line: CommandLine, running: RunnerOptions) -> WriteShards:
    """Return what decodes and writes: the runner of an extra, or this machine."""
    for choose in EXTRAS.code('shard_writer'):
        if write_shards := choose(command_line, CATALOG):
            return write_shards
    cores = find_cores()
    if running.workers is None and cores.reason:
        print(f'{cores} (--workers takes another number)')
    return functools.partial(write_on_this_machine, workers=running.workers)


program = functools.partial(run_program, main)  # what the installed command calls

if __name__ == '__main__':
    sys.exit(program())
