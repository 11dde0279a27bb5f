"""Verify converted images against their manifest: missing, altered or unreadable ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from library import files
from library.errors import ConfigError
from library.preparation.formats import RejectedImage
from library.preparation.images import check_jpeg
from library.records.example import read_example
from library.records.framing import read_records, walk
from library.records.manifest import Manifest, Shard, read_manifest


def verify(data_dir: str) -> Iterator[str]:
    """Yield what is wrong with converted images, one line each; nothing if all is well.

    Every shard is compared with its size, digest and count; then every record is parsed and its
    image decoded. Where a record cannot be read, the next one still is; classes are counted only
    where all were read.

    Args:
      data_dir: a folder with a manifest, or one whose folders have manifests.

    Raises:
      ConfigError: there is no manifest.
      DataError: a manifest cannot be read.
    """
    whole = read_manifest(data_dir)
    splits = {name: read_manifest(files.join(data_dir, name)) for name in files.names_in(data_dir)}
    manifests = [manifest for manifest in (whole, *splits.values()) if manifest]
    if not manifests:
        raise ConfigError(f'{data_dir}: no converted images (--verify)')
    for manifest in manifests:
        yield from _verify_split(manifest)
    made = {name for manifest in splits.values() if manifest for name in manifest.splits}
    for name in sorted(made):
        if splits.get(name) is None:
            yield f'{files.join(data_dir, name)}: the manifest of this split is missing'


def _verify_split(manifest: Manifest) -> Iterator[str]:
    labels: Counter[int] = Counter()
    records, all_framed = 0, True
    for shard in manifest.shards:
        path = files.join(manifest.folder, shard.name)
        if not files.exists(path):
            yield f'{path}: missing'
            all_framed = False
            continue
        yield from _check_file(path, shard)
        starts, problem = walk(path)
        if problem:
            yield f'{path}: {problem}'
            all_framed = False
            continue
        records += len(starts)
        yield from _check_records(path, starts, shard, len(manifest.class_names), labels)
    # A record that lacks its label is named already, and would be missed in its class.
    if all_framed and labels.total() == records:
        yield from _check_counts(manifest, labels)
    yield from _strangers(manifest)


def _check_counts(manifest: Manifest, labels: Counter[int]) -> Iterator[str]:
    for label, name in enumerate(manifest.class_names):
        expected = manifest.examples_per_class[name]
        if labels[label] != expected:
            yield f'{manifest.folder}: class {name!r} has {labels[label]} images, not {expected}'


def _check_file(path: str, shard: Shard) -> Iterator[str]:
    """Check size and digest of a shard."""
    size, digest = files.digest(path)
    if size != shard.bytes:
        yield f'{path}: {size} bytes, but {shard.bytes} were written'
    elif digest != shard.sha256:
        yield f'{path}: the content is not what was written (sha256)'


def _check_records(
    path: str, starts: Sequence[int], shard: Shard, classes: int, labels: Counter[int]
) -> Iterator[str]:
    """Check checksum, fields and image of every record; count the labels."""
    if len(starts) != shard.examples:
        yield f'{path}: {len(starts)} records, but {shard.examples} were written'
    for number, record in enumerate(read_records(path, starts)):
        if record is None:
            problem = 'its checksum is wrong'
        else:
            problem = _check_record(record, classes, labels)
        if problem:
            yield f'{path}: record {number} at byte {starts[number]}: {problem}'


def _check_record(record: bytes, classes: int, labels: Counter[int]) -> str:
    """Say what is wrong with one record, or ''."""
    try:
        label, _, encoded = read_example(record)
    except ValueError as error:
        return str(error)
    if not 0 <= label < classes:
        return f'its label {label} is none of {classes} classes'
    labels[label] += 1
    try:
        check_jpeg(encoded)
    except RejectedImage as rejected:
        return f'its image is {rejected}'
    return ''


def _strangers(manifest: Manifest) -> Iterator[str]:
    """Find shards that the manifest does not name, left by something else."""
    known = {shard.name for shard in manifest.shards}
    for name in files.names_in(manifest.folder):
        if name.endswith('.tfrecord') and name not in known:
            yield f'{files.join(manifest.folder, name)}: not in the manifest'
