"""Write NAME.images.csv: which images a split holds, in the order of its records.

A person looks a record up in it; a later conversion reads which picture was in which split.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from library import files
from library.preparation.output import write_list
from library.preparation.plan import PlannedShard
from library.records.manifest import Rejected


def write_images(path: str, plan: Sequence[PlannedShard], rejected: Iterable[Rejected]) -> None:
    """Write the list of a split's images, except the rejected ones.

    Raises:
      OSError: the disk is full or may not be written.
    """
    rejected = tuple(rejected)

    def rows() -> Iterator[Sequence[str]]:
        for name, class_name, digest in stored_images(plan, rejected):
            yield name, class_name, digest.hex()

    write_list(path, rows)


def stored_images(
    plan: Sequence[PlannedShard], rejected: Iterable[Rejected]
) -> Iterator[tuple[str, str, bytes]]:
    """Read file name, class name and digest of each image of a split that became a record."""
    missing = {each.file for each in rejected}
    for shard in plan:
        for image, digest in zip(shard.images, shard.digests, strict=True):
            if image.filename not in missing:
                yield image.filename, shard.class_names[image.label], digest


def read_digests(path: str) -> Iterator[bytes]:
    """Read the digests in a list, in its order; nothing where the file is no such list."""
    text = files.read_bytes(path).decode('utf-8', 'surrogateescape')
    # csv.Error: a field longer than any of ours.
    with contextlib.suppress(csv.Error):
        for row in csv.DictReader(io.StringIO(text, newline='')):
            digest = row.get('sha256') or ''
            if re.fullmatch('[0-9a-f]{64}', digest):
                yield bytes.fromhex(digest)
