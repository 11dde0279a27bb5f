"""Frame records as TFRecord files hold them, and read them back, without TensorFlow.

A record is a length (8 bytes) with its checksum (4), the data, and the data's checksum (4). A
forged length with a right checksum would end a process that trusts it, so lengths are compared
with the file first.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import google_crc32c

from library import files

HEADER, FOOTER = 12, 4
GZIP = b'\x1f\x8b\x08'
ZLIB = (b'\x78\x01', b'\x78\x5e', b'\x78\x9c', b'\x78\xda')
# TFRecord masks its checksums, as those of bytes that hold checksums are weak: the CRC-32C is
# turned right by 15 bits, and this is added.
MASK_DELTA = 0xA282EAD8


def frame(data: bytes) -> bytes:
    """Return a record as it stands in a file."""
    length = struct.pack('<Q', len(data))
    return b''.join((length, _checksum(length), data, _checksum(data)))


def read_records(path: str, starts: Sequence[int]) -> Iterator[bytes | None]:
    """Yield the data of each record in turn, or None where one of its checksums is wrong.

    Args:
      path: of the file.
      starts: of `walk`, which has compared the lengths with the file.
    """
    with files.open_binary(path) as file:
        for start in starts:
            file.seek(start)
            header = file.read(HEADER)
            length = header[:8]
            if header[8:] != _checksum(length):
                yield None
                continue
            (size,) = struct.unpack('<Q', length)
            data = file.read(size)
            yield data if file.read(FOOTER) == _checksum(data) else None


def _checksum(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    turned = (crc >> 15) | (crc << 17)
    return struct.pack('<I', (turned + MASK_DELTA) & 0xFFFFFFFF)


def walk(path: str, most: int | None = None) -> tuple[list[int], str]:
    """Find where each record starts, by the lengths alone; and what is wrong with them, or ''.

    Args:
      path: of the file.
      most: how many records to look at; None is all.
    """
    with files.open_binary(path) as file:
        starts, problem = _walk(file, files.size(path), most)
        file.seek(0)
        # Only now, as a record of 559,903 bytes starts so too.
        start = file.read(len(GZIP)) if problem else b''
        if start == GZIP:
            return [], 'is compressed with gzip; unpack it'
        if start[:2] in ZLIB:
            return [], 'is compressed with zlib; write it without'
    return starts, problem


def _walk(file: Any, size: int, most: int | None) -> tuple[list[int], str]:
    offset = 0
    starts: list[int] = []
    while offset < size and (most is None or len(starts) < most):
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
