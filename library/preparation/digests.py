"""Compute sha256 digests of the content of images, before anything is decoded.

The digest identifies an image whatever its name: it puts equal pictures into one split, finds them
under two labels, and shows a later run which shards are still right.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from library import files
from library.cores import count_cores
from library.preparation.progress import progress
from library.records.listing import LabelledImage, Part, Unusable

# Images to a thread's task: hashing a small one takes less time than handing it over.
CHUNK = 64


def content_digests(images: Sequence[LabelledImage]) -> list[bytes]:
    """Digest each image to 32 bytes, in order; digest its name where it cannot be read.

    Threads are enough: hashing leaves Python's lock alone.

    Raises:
      OSError: this machine cannot open more files, or has no memory left.
    """
    chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    digests: list[bytes] = []
    with (
        ThreadPoolExecutor(count_cores()) as pool,
        progress('reading', len(images)) as advance,
    ):
        for part in pool.map(lambda chunk: [_digest(image) for image in chunk], chunks):
            digests += part
            advance(len(part))
    return digests


def _digest(image: LabelledImage) -> bytes:
    content = image.content
    if isinstance(content, str | Part):
        try:
            if isinstance(content, Part):
                return hashlib.sha256(content.read()).digest()
            return bytes.fromhex(files.digest(content)[1])
        # Whatever keeps it from being read, local or remote, is reported when it is decoded.
        except Exception as error:
            if isinstance(error, OSError) and files.is_exhausted(error):
                raise
            content = Unusable('unreadable')
    if isinstance(content, Unusable):
        # Never equal to a file's digest, so that such files are no duplicates of each other.
        return hashlib.sha256(b'unusable\0' + os.fsencode(image.filename)).digest()
    if isinstance(content, bytes):
        return hashlib.sha256(content).digest()
    return hashlib.sha256(repr(content.shape).encode() + content.tobytes()).digest()
