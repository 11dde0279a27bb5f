"""Find the splits that lie in DATA_DIR, and say what to do where one is missing.

Imports no TensorFlow.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections import Counter

from library import files
from library.errors import ConfigError, DataError
from library.installation import start_of
from library.records.listing import AUTO, FOLD, SPLIT_NAMES, is_fold, usual_order
from library.records.manifest import Manifest, check_whole, manifest_names, read_manifest
from library.records.shards import is_shard


def open_split(data_dir: str, split: str) -> Manifest:
    """Read the manifest of DATA_DIR/SPLIT; all its shards must exist in full size.

    Raises:
      ConfigError: nothing was converted into this folder; the message names the command.
      DataError: a shard is missing or has another size, or two data sets share the folder.
    """
    folder = files.join(data_dir, split)
    manifest = read_manifest(folder)
    if manifest is None:
        raise ConfigError(f'{folder}: no converted images; {_way_on(data_dir, split)}')
    check_whole(manifest)
    return manifest


def open_other_folds(data_dir: str, fold: int) -> Manifest:
    """Read all folds of DATA_DIR but one, as one split.

    Args:
      data_dir: of the folds, which one conversion made.
      fold: the number of the one to leave out, from 1.

    Raises:
      ConfigError: there is no such fold, or none beside it.
      DataError: a fold is of another conversion, or a shard is missing or has another size.
    """
    left_out = open_split(data_dir, f'{FOLD}{fold}')
    names = [name for name in left_out.splits if is_fold(name) and name != f'{FOLD}{fold}']
    others = [open_split(data_dir, name) for name in names]
    if not others:
        raise ConfigError(f'{data_dir}: has no fold beside {FOLD}{fold} (--fold)')
    counts: Counter[str] = Counter()
    for each in others:
        if (each.class_names, each.options) != (left_out.class_names, left_out.options):
            raise DataError(f'{each.folder}: is of another conversion than {left_out.folder}')
        counts.update(each.examples_per_class)
    shards = tuple(
        dataclasses.replace(shard, name=files.join(os.path.basename(each.folder), shard.name))
        for each in others
        for shard in each.shards
    )
    return dataclasses.replace(
        left_out,
        examples_per_class=dict(counts),
        shards=shards,
        rejected=(),
        # What is made from it, such as features, is kept beside that of the splits.
        folder=files.join(data_dir, f'without_{FOLD}{fold}'),
        root=data_dir,
    )


def evaluation_split(data_dir: str, wanted: str, fold: int | None = None) -> str:
    """Return the split to evaluate on: for AUTO validation, if present, or test.

    Args:
      data_dir: of the splits.
      wanted: AUTO, or the name of a split as `--splits` takes it: val means validation, unless
        there is a split val.
      fold: the number of the one that a run leaves out of its training, which AUTO means then.
    """
    if wanted == AUTO and fold:
        return f'{FOLD}{fold}'
    if wanted != AUTO:
        usual = SPLIT_NAMES.get(wanted.lower(), wanted)
        return wanted if files.names_in(files.join(data_dir, wanted)) else usual
    return 'validation' if files.names_in(files.join(data_dir, 'validation')) else 'test'


def _way_on(data_dir: str, split: str) -> str:
    """Say what to do where a split is missing: what else is there decides."""
    names = files.names_in(data_dir)
    splits = [name for name in names if manifest_names(files.join(data_dir, name))]
    if splits:
        return f'{data_dir} holds {", ".join(usual_order(splits))} ({_option(split, splits)})'
    if manifest_names(data_dir):
        return f'{data_dir} is a split itself: give the folder above it as --data_dir'
    word = shlex.quote(data_dir)
    if any(map(is_shard, names)) or any(name.endswith('.tfrecord') for name in names):
        pattern = shlex.quote(files.join(data_dir, '*.tfrecord'))
        return f'records of other programs are given as --train_metadata {pattern}'
    # Where nothing lies, the images must be elsewhere.
    source, directly = 'PHOTOS', ''
    if names:
        source = word
        directly = 'images as they are go to --train_metadata and --eval_metadata; or '
    return f'{directly}make them with: {start_of("convert_dataset.py")} {source} {word}'


def _option(split: str, splits: list[str]) -> str:
    """Name the option that leads from a missing split to those that are there."""
    if any(map(is_fold, splits)):
        return '--fold' if split == 'train' or is_fold(split) else '--eval_split'
    if is_fold(split):
        return '--eval_split, or leave out --fold'
    return '--data_dir' if split == 'train' else '--eval_split'
