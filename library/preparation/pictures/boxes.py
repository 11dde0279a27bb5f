"""Read what the boxes of AVIF and HEIF files say of their primary picture (ISO/IEC 14496-12).

Pillow tells neither the colours that such a file names by number nor which codec it needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

AVIF_BRANDS = {b'avif', b'avis'}
HEIF_BRANDS = {b'heic', b'heix', b'heim', b'heis', b'hevc', b'hevx', b'hevm', b'hevs', b'mif1'}
HEIF_BRANDS |= {b'msf1', b'mif2'}

# Boxes of one level that are read; a picture has a few dozen.
MOST_BOXES = 100_000


@dataclass(frozen=True)
class PrimaryPicture:
    """What a file says of the picture that viewers show.

    Attributes:
      sizes: (width, height) in pixels as coded, before it is cropped or turned.
      cicp: numbers of its primaries and its transfer function (ITU-T H.273), if it has any.
      turned: the decoder has to turn or mirror it.
    """

    sizes: tuple[tuple[int, int], ...] = ()
    cicp: tuple[int, int] | None = None
    turned: bool = False


def container_of(data: bytes) -> str | None:
    """Return 'AVIF' or 'HEIF' by the brands of a file; None if it is neither."""
    if data[4:8] != b'ftyp':
        return None
    end = min(int.from_bytes(data[:4], 'big'), 4096)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & AVIF_BRANDS:
        return 'AVIF'
    return 'HEIF' if brands & HEIF_BRANDS else None


def primary_picture(data: bytes) -> PrimaryPicture:
    """Read the properties of a file's primary picture; of a damaged file what there is."""
    sizes, cicp, turned = [], None, False
    for kind, content in _properties(data):
        if kind == b'ispe' and len(content) >= 12:
            sizes.append((_number(content[4:8]), _number(content[8:12])))
        elif kind == b'colr' and content[:4] == b'nclx' and len(content) >= 8:
            cicp = _number(content[4:6]), _number(content[6:8])
        elif kind == b'irot':
            turned = turned or bool(content[:1].strip(b'\0'))
        elif kind == b'imir':
            turned = True
    return PrimaryPicture(tuple(sizes), cicp, turned)


def _properties(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each property of the primary picture."""
    meta = next((content for kind, content in _boxes(data) if kind == b'meta'), b'')
    inner = dict(_boxes(meta[4:]))
    primary = inner.get(b'pitm', b'')
    item = primary[4:6] if primary[:1] == b'\0' else primary[4:8]
    listed = dict(_boxes(inner.get(b'iprp', b'')))
    known = list(_boxes(listed.get(b'ipco', b'')))
    for place in _places(listed.get(b'ipma', b''), _number(item)):
        if 0 < place <= len(known):
            yield known[place - 1]


def _places(associations: bytes, item: int) -> list[int]:
    """Return the places of an item's properties, from 1."""
    id_size = 2 if associations[:1] == b'\0' else 4
    place_size = 2 if associations[3:4] and associations[3] & 1 else 1
    at = 8
    for _ in range(min(_number(associations[4:8]), MOST_BOXES)):
        found = _number(associations[at : at + id_size])
        count = _number(associations[at + id_size : at + id_size + 1])
        start = at + id_size + 1
        at = start + count * place_size
        if found == item:
            # The first bit says that readers have to understand the property.
            mask = 0x7FFF if place_size == 2 else 0x7F
            return [
                _number(associations[each : each + place_size]) & mask
                for each in range(start, at, place_size)
            ]
        if at >= len(associations):
            break
    return []


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each box of one level."""
    at = 0
    for _ in range(MOST_BOXES):
        size, kind, header = _number(data[at : at + 4]), data[at + 4 : at + 8], 8
        if size == 1:
            size, header = _number(data[at + 8 : at + 16]), 16
        elif size == 0:
            size = len(data) - at
        if len(kind) < 4 or size < header:
            return
        # A large one of pixels is not copied: nobody asks for it.
        yield kind, b'' if kind == b'mdat' else data[at + header : at + size]
        at += size


def _number(data: bytes) -> int:
    return int.from_bytes(data, 'big')
