"""Find a chunk of a PNG, in the file's bytes."""

from __future__ import annotations

# Where the first chunk begins.
_FIRST = 8


def png_chunk(data: bytes, wanted: bytes) -> bytes:
    """Return the content of a chunk that stands before the pixels; b'' where there is none."""
    position, kind = _FIRST, b''
    while position < len(data) and kind != b'IDAT':
        size = int.from_bytes(data[position : position + 4], 'big')
        kind = data[position + 4 : position + 8]
        if kind == wanted:
            return data[position + 8 : position + 8 + size]
        position += 12 + size
    return b''
