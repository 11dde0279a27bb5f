"""Find the splits that lie in DATA_DIR, and say what to do where one is missing.

Imports no TensorFlow.
"""

from __future__ import annotations

import shlex

from library import files
from library.errors import ConfigError
from library.records.listing import SPLIT_NAMES, usual_order
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
        raise ConfigError(f'{folder}: no converted images; {_way_on(data_dir)}')
    check_whole(manifest)
    return manifest


def evaluation_split(data_dir: str, wanted: str) -> str:
    """Return the split to evaluate on: for 'auto' validation, if present, or test.

    Args:
      data_dir: of the splits.
      wanted: 'auto', or the name of a split as `--splits` takes it: val means validation, unless
        there is a split val.
    """
    if wanted != 'auto':
        usual = SPLIT_NAMES.get(wanted.lower(), wanted)
        return wanted if files.names_in(files.join(data_dir, wanted)) else usual
    return 'validation' if files.names_in(files.join(data_dir, 'validation')) else 'test'


def _way_on(data_dir: str) -> str:
    """Say what to do where a split is missing: what else is there decides."""
    names = files.names_in(data_dir)
    splits = [name for name in names if manifest_names(files.join(data_dir, name))]
    if splits:
        return f'{data_dir} holds {", ".join(usual_order(splits))} (--eval_split)'
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
    return (
        f'{directly}make them with: python convert_dataset.py --dataset_dir {source} '
        f'--tfrecord_dir {word} --max_edge 384'
    )
