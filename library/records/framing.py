"""Check TFRecord files by their framing alone, before TensorFlow trusts it.

A record is a length (8 bytes) with its checksum (4), the data, and the data's checksum (4). A
forged length with a right checksum would end a process that trusts it.
"""

from __future__ import annotations

import struct
from typing import Any

from library import files

HEADER, FOOTER = 12, 4
GZIP = b'\x1f\x8b\x08'


def walk(path: str) -> tuple[list[int], str]:
    """Find where each record starts, by the lengths alone; and what is wrong with them, or ''."""
    with files.open_binary(path) as file:
        starts, problem = _walk(file, files.size(path))
        file.seek(0)
        # Only now, as a record of 559,903 bytes starts so too.
        if problem and file.read(len(GZIP)) == GZIP:
            return [], 'is compressed with gzip; unpack it'
    return starts, problem


def _walk(file: Any, size: int) -> tuple[list[int], str]:
    offset = 0
    starts: list[int] = []
    while offset < size:
        file.seek(offset)
        header = file.read(HEADER)
        if len(header) < HEADER:
            return starts, f'cut off in the header of record {len(starts)} at byte {offset}'
        (length,) = struct.unpack('<Q', header[:8])
        end = offset + HEADER + length + FOOTER
        if end > size:
            claim = f'claims {length} bytes, more than are left'
            return starts, f'record {len(starts)} at byte {offset} {claim}'
        starts.append(offset)
        offset = end
    return starts, ''
