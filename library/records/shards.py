"""Name shards, NAME-00000-of-00002.tfrecord, and the range of items that each one takes."""

from __future__ import annotations

import re

PARTIAL = '.partial'


def shard_name(name: str, index: int, count: int) -> str:
    """Return the file name of shard `index` of `count`."""
    return f'{name}-{index:05d}-of-{count:05d}.tfrecord'


def shard_names(name: str, count: int) -> list[str]:
    """Return the file names of all shards, in order."""
    return [shard_name(name, index, count) for index in range(count)]


def is_shard_of(name: str, file_name: str) -> bool:
    """Return True for a shard of this data set, of any count, finished or partial."""
    pattern = rf'{re.escape(name)}-\d{{5}}-of-\d{{5}}\.tfrecord({re.escape(PARTIAL)})?'
    return re.fullmatch(pattern, file_name) is not None


def is_shard(file_name: str) -> bool:
    """Return True for a finished shard of any data set."""
    return re.fullmatch(r'.+-\d{5}-of-\d{5}\.tfrecord', file_name) is not None


def is_record_file(path: str) -> bool:
    """Return True for the name of a TFRecord file of any program: by its ending or numbering."""
    pattern = r'.*(\.(tfrecords?|tfrec)|[-_.]\d{5}-of-\d{5})'
    return re.fullmatch(pattern, path, re.DOTALL) is not None


def shard_of_item(item: int, items: int, shards: int) -> int:
    """Return the shard of item `item` of `items`: consecutive runs, even within one item.

    It follows from the listing alone, so workers and rejected images do not move an item.
    """
    return item * shards // items
