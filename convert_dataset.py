"""Turn labelled images into JPEG TFRecords for run.py: convert_dataset.py PHOTOS DATASET.

Takes a folder of images with one folder per class, a CSV file, or what another --source reads.
With --verify it checks what was converted before.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TypeVar

from library.installation import report_missing_packages

if code := report_missing_packages():  # the next import would show a traceback
    sys.exit(code)

from library.config.catalog import Catalog
from library.config.command_line import CommandLine, help_text, parse
from library.config.hparams import read_options
from library.cores import find_cores
from library.errors import ConfigError, DataError
from library.extras import find_extras
from library.preparation.contact_sheet import draw_contact_sheet
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
    StoredPictureOptions,
    StoredSizeOptions,
)
from library.preparation.output import Output
from library.preparation.pool import write_on_this_machine
from library.preparation.progress import announced
from library.preparation.sources.registry import (
    check_flags,
    find_source,
    joined,
    source_class,
)
from library.preparation.splits import DEFAULT_SPLITS, parse_fractions, with_folds
from library.preparation.summary import SHOWN, describe, summarize
from library.records.listing import AUTO, Listing, is_split_name
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow
from project.sources import SOURCES

EXTRAS = find_extras()
ALL_SOURCES = joined(SOURCES, EXTRAS.joined('sources'))
CORE = Catalog(
    (
        SourceChoice,
        SourceOptions,
        ConversionOptions,
        StoredPictureOptions,
        StoredSizeOptions,
        SplitOptions,
        RunnerOptions,
    ),
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
    return _convert(command_line, running)


def _convert(command_line: CommandLine, running: RunnerOptions) -> int:
    """List the images, write them, and print what was done."""
    chosen = read_options(SourceChoice, command_line, CATALOG).source
    source_options = read_options(SourceOptions, command_line, CATALOG)
    conversion = read_options(ConversionOptions, command_line, CATALOG)
    encoding = _encoding(command_line, conversion)
    splitting = read_options(SplitOptions, command_line, CATALOG)
    started = time.monotonic()
    fractions = _fractions(splitting)
    tfrecord_dir = _given(conversion.tfrecord_dir, 'tfrecord_dir')
    name = conversion.tfrecord_filename
    usual = parse_fractions(DEFAULT_SPLITS) if name is None else {}
    output = _output(tfrecord_dir, name, fractions or usual)
    listing = _listing(command_line, chosen, source_options, output)
    if fractions is None and name is None and not listing.splits:
        print(f'{listing.folder}: no splits of its own, so {DEFAULT_SPLITS} (--splits)')
        fractions = usual
    _check_divided(command_line, fractions)
    if splitting.group_by:
        listing = group_by_name(listing, splitting.group_by)
    done = convert(
        listing,
        output,
        encoding,
        _shard_writer(command_line, running),
        num_shards=conversion.num_shards,
        random_seed=conversion.random_seed,
        max_bad_fraction=conversion.max_bad_fraction,
        fractions=fractions,
        split_by=splitting.split_by,
        duplicates=splitting.duplicates,
        group_by=splitting.group_by or source_options.group_column,
    )
    if 'max_edge' not in command_line.values:
        print(f'longest edge: {conversion.max_edge} pixels, the default (--max_edge)')
    for line in summarize(done, output, time.monotonic() - started):
        print(line)
    if sheet := draw_contact_sheet(done, listing, output, encoding):
        print(f'some of what was altered, to look at: {sheet}')
    return 0


def _encoding(command_line: CommandLine, conversion: ConversionOptions) -> EncodingOptions:
    """Say how images are stored."""
    return EncodingOptions(
        conversion.max_edge,
        conversion.quality,
        tuple(dict.fromkeys((*FORMATS, *conversion.extra_formats))),
        read_options(StoredPictureOptions, command_line, CATALOG),
        read_options(StoredSizeOptions, command_line, CATALOG).max_pixels,
    )


def _check_divided(command_line: CommandLine, fractions: Mapping[str, float] | None) -> None:
    """Raise ConfigError for flags about a division that is not made, or made in two ways."""
    for flag in ('split_by', 'group_by', 'group_column'):
        if flag in command_line.values and fractions is None:
            raise ConfigError(f'--{flag} has no effect unless --splits or --folds is given')
    if {'group_by', 'group_column'} <= set(command_line.values):
        raise ConfigError('--group_by and --group_column: give one of them')


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


def _fractions(splitting: SplitOptions) -> dict[str, float] | None:
    """Return the splits to make and their fractions; None where nobody asks for any."""
    fractions = parse_fractions(splitting.splits) if splitting.splits else None
    return with_folds(fractions, splitting.folds) if splitting.folds else fractions


def _listing(
    command_line: CommandLine, chosen: str | None, options: SourceOptions, output: Output
) -> Listing:
    """List the images, numbered as --labels says, and print how the data set was read."""
    dataset_dir = _given(options.dataset_dir, 'dataset_dir')
    labels = read_labels(options.labels) if options.labels else None
    source = chosen or find_source(ALL_SOURCES, dataset_dir, options)
    check_flags(ALL_SOURCES, command_line.values, source)
    make_source = source_class(ALL_SOURCES, source)
    with announced(f'listing {dataset_dir}'):
        listing = make_source(options, output, known=labels or ()).listing()
    for line in describe(listing):
        print(line)
    if labels:
        names, listing = listing.class_names, relabel(listing, labels)
        _print_positions(names, labels)
    return listing


def _given(value: Given | None, name: str) -> Given:
    """Return the value of a required flag."""
    if value is None:
        raise ConfigError(f'--{name} is missing (see --help)')
    return value


def _output(tfrecord_dir: str, name: str | None, fractions: Mapping[str, float]) -> Output:
    """Find where to write, after checking that the place is free."""
    if name is not None and not (is_split_name(name) and len(os.fsencode(name)) <= LONGEST_NAME):
        raise ConfigError(
            f'--tfrecord_filename {name}: a name of at most {LONGEST_NAME} bytes, without folders '
            f'(those belong in --tfrecord_dir), other than {AUTO}'
        )
    if any('\udc80' <= letter <= '\udcff' for letter in tfrecord_dir):
        raise ConfigError('--tfrecord_dir: its name is not UTF-8, which TensorFlow needs')
    return Output(tfrecord_dir, name, tuple(fractions))


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
