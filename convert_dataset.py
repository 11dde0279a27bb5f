"""Turns a folder of images, one folder per class, into JPEG TFRecords for run.py.

With --verify it checks what was converted before.
"""

from __future__ import annotations

import os
import sys
import time

from library.config.catalog import Catalog
from library.config.command_line import help_text, parse
from library.config.hparams import read_options
from library.errors import ConfigError, DataError
from library.preparation.converter import convert
from library.preparation.options import ConversionOptions
from library.preparation.shard_writer import Target
from library.preparation.sources.folder import list_folder
from library.records.manifest import Manifest
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow


def main(argv: list[str]) -> int:
    """Converts one split; returns the exit code."""
    catalog = Catalog((ConversionOptions,), {}, {})
    command_line = parse(argv, catalog)
    if command_line.wants_help:
        print(help_text('convert_dataset.py', __doc__, catalog))
        return 0
    options = read_options(ConversionOptions, command_line)
    quiet_tensorflow(options.verbose)
    if options.verify is not None:
        return _verify(options.verify)
    started = time.monotonic()
    target = _target(options)
    listing = list_folder(
        options.dataset_dir,
        is_own=target.owns,
        output_dir=target.folder,
        follow_symlinks=options.follow_symlinks,
    )
    if options.num_shards and options.num_shards > len(listing.images):
        raise ConfigError(
            f'--num_shards {options.num_shards} is more than the {len(listing.images)} images'
        )
    manifest = convert(
        listing,
        target,
        max_edge=options.max_edge,
        quality=options.quality,
        num_shards=options.num_shards,
        random_seed=options.random_seed,
        workers=options.workers,
        max_bad_fraction=options.max_bad_fraction,
    )
    _tell(manifest, target, time.monotonic() - started)
    return 0


def _verify(data_dir: str) -> int:
    """Prints what is wrong with converted images; returns 0 if nothing is."""
    from library.preparation.verification import verify

    problems = 0
    for problem in verify(data_dir):
        print(problem)
        problems += 1
    if problems:
        raise DataError(f'{data_dir}: {problems} problems (named above); convert the images again')
    print(f'{data_dir}: every record is as it was written')
    return 0


def _target(options: ConversionOptions) -> Target:
    """Where to write, once all that must be given is given and makes sense."""
    for name in ('dataset_dir', 'tfrecord_filename', 'tfrecord_dir', 'max_edge'):
        if getattr(options, name) is None:
            raise ConfigError(f'--{name} is missing (see --help)')
    name = options.tfrecord_filename
    if os.path.basename(name) != name or name.startswith('.'):
        raise ConfigError(
            f'--tfrecord_filename {options.tfrecord_filename}: a name, without folders '
            f'(those belong in --tfrecord_dir)'
        )
    return Target(options.tfrecord_dir, options.tfrecord_filename)


def _tell(manifest: Manifest, target: Target, seconds: float) -> None:
    """Says what was written and what was left out."""
    for name in manifest.ignored[:10]:
        print(f'ignored (not an image of a class): {name}')
    if len(manifest.ignored) > 10:
        print(f'ignored: {len(manifest.ignored) - 10} more, all named in {target.manifest}')
    for each in manifest.rejected[:10]:
        print(f'rejected: {each.file}: {each.reason}')
    if len(manifest.rejected) > 10:
        print(f'rejected: {len(manifest.rejected) - 10} more, all named in {target.report}')
    print(
        f'{manifest.examples} images of {len(manifest.class_names)} classes in '
        f'{len(manifest.shards)} shards ({manifest.reencoded} encoded anew, '
        f'{len(manifest.rejected)} rejected), {seconds:.1f} s: {target.manifest}'
    )


if __name__ == '__main__':
    sys.exit(run_program(main, sys.argv[1:]))
