"""Leave out of image files what is no part of the picture: texts, previews, broken metadata.

Pillow gives up a file for the sake of a chunk beside the picture, and takes a PNG's texts for
properties of it, such as one called `transparency`. Cuts and changes within the picture are left
as they are: its decoder has to find them.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from PIL import PngImagePlugin

# JPEG's comments, and segments for extensions that nobody made.
_JPEG_COMMENTS = {0xFE, *range(0xF0, 0xFE), 0xC8}

PNG_MARK = b'\x89PNG\r\n\x1a\n'

# What a PNG's chunks beside the critical ones say of the picture, with the lengths that they may
# have. Those of an animation are left out: its first frame is the PNG's own picture.
_PNG_CHUNKS = {
    b'eXIf': range(1 << 20),
    b'iCCP': range(1 << 24),
    b'gAMA': range(4, 5),
    b'cHRM': range(32, 33),
    b'sRGB': range(1, 2),
    b'sBIT': range(1, 5),
    b'cICP': range(4, 5),
}
# Where ImageMagick writes the orientation.
_TURN = b'Raw profile type exif\0'
# A profile or tag that takes more is none that anybody made on purpose. Pillow's bound is less than
# the tables of some displays take.
_MAX_UNPACKED = PngImagePlugin.MAX_TEXT_CHUNK = 16 << 20

# What a web server, a script or a broken download may put before a picture.
_BLANK = re.compile(rb'[\0\t\n\r ]++(?=\xff\xd8\xff|\x89PNG\r\n)')


def picture_in(data: bytes) -> bytes:
    """Return a file without blanks before it, and without what Pillow takes for more than it is."""
    if blanks := _BLANK.match(data):
        data = data[blanks.end() :]
    if data.startswith(PNG_MARK):
        return _png(data)
    if data.startswith((b'GIF87a', b'GIF89a')):
        return _gif(data)
    # The border that an animation's first picture leaves free is transparent, also where all of
    # its pictures are opaque.
    if data[:4] == b'RIFF' and data[8:16] == b'WEBPVP8X' and data[20:21] and data[20] & 0x02:
        return data[:20] + bytes([data[20] | 0x10]) + data[21:]
    return data


def _png(data: bytes) -> bytes:
    """Return a PNG without texts, dates, further frames, and chunks that are broken.

    As other decoders do, a wrong check sum is held against the chunk, not the picture; but the
    transparent colour is part of that.
    """
    kept, start, position = [], 0, len(PNG_MARK)
    while len(head := data[position : position + 8]) == 8:
        length, kind = int.from_bytes(head[:4], 'big'), head[4:]
        end = position + 12 + length
        if end > len(data):
            break
        if not _is_of_picture(kind, data, position + 8, length):
            kept.append(data[start:position])
            start = end
        position = end
        if kind == b'IEND':
            return b''.join([*kept, data[start:position]]) if kept else data[:position]
    return b''.join([*kept, data[start:]]) if kept else data


def _is_of_picture(kind: bytes, data: bytes, start: int, length: int) -> bool:
    """Return whether a chunk is kept; critical ones begin with a capital letter."""
    if kind[:1].isupper() or kind == b'tRNS':
        return True
    is_turn = kind in (b'tEXt', b'zTXt') and data.startswith(_TURN, start)
    if not is_turn and length not in _PNG_CHUNKS.get(kind, ()):
        return False
    content = data[start : start + length]
    if zlib.crc32(kind + content) != int.from_bytes(data[start + length :][:4], 'big'):
        return False
    return _is_unpacked(content) if kind in (b'iCCP', b'zTXt') else length < _MAX_UNPACKED


def _is_unpacked(content: bytes) -> bool:
    """Return whether what follows a name and the number of a method can be unpacked."""
    _, found, packed = content.partition(b'\0')
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(packed[1:], _MAX_UNPACKED)
    except zlib.error:
        return False
    return bool(found) and packed[:1] == b'\0' and not unpacker.unconsumed_tail


def _gif(data: bytes) -> bytes:
    """Return a GIF without comments and the like before its first picture.

    Pillow looks for the end of an empty one in what follows.
    """
    position = 13
    if len(data) > position and data[10] & 0x80:
        position += 3 << (data[10] & 7) + 1
    kept = [data[:position]]
    while data[position : position + 1] == b'!':
        start, position = position, position + 2
        while length := int.from_bytes(data[position : position + 1], 'big'):
            position += 1 + length
        position += 1
        # How long a picture is shown, and which colour is transparent.
        if data[start + 1 : start + 3] == b'\xf9\x04':
            kept.append(data[start:position])
    return b''.join([*kept, data[position:]])


def without_side_data(data: bytes) -> Iterator[bytes]:
    """Yield what is left of a file: with its orientation and colour profile, then without them.

    To be tried where the whole file cannot be read. Yields nothing where there is nothing to leave
    out.
    """
    last = data
    for with_meaning in (True, False):
        rest = data
        if data.startswith(b'\xff\xd8'):
            rest = _jpeg(data, with_meaning)
        elif data[:4] == b'RIFF' and data[8:12] == b'WEBP':
            rest = _webp(data, with_meaning)
        elif data[:4] in _TIFF_LAYOUTS:
            rest = _tiff(data, with_meaning)
        if rest != last:
            yield rest
        last = rest


def _jpeg(data: bytes, with_meaning: bool) -> bytes:
    """Keep the segments of a JPEG that decoders need, up to its pixels, and all from there."""
    kept, position = [data[:2]], 2
    while len(mark := data[position : position + 2]) == 2 and mark[0] == 0xFF and mark[1] != 0xDA:
        kind = mark[1]
        length = int.from_bytes(data[position + 2 : position + 4], 'big')
        segment = data[position : position + 2 + length]
        content = segment[4:]
        # JFIF and Adobe say which colours there are, if they are long enough for that.
        if kind == 0xE0:
            keep = content.startswith(b'JFIF\0') and len(content) >= 14
        elif kind == 0xEE:
            keep = content.startswith(b'Adobe') and len(content) >= 12
        elif 0xE0 <= kind <= 0xEF:
            means = (b'Exif\0\0', b'ICC_PROFILE\0')
            keep = with_meaning and content.startswith(means) and len(content) > 14
        else:
            keep = kind not in _JPEG_COMMENTS
        if keep:
            kept.append(segment)
        position += 2 + max(length, 2)
    return b''.join([*kept, data[position:]])


def _webp(data: bytes, with_meaning: bool) -> bytes:
    """Keep the chunks of a WebP that hold its pictures."""
    kept, position = [], 12
    wanted = {b'VP8 ', b'VP8L', b'VP8X', b'ALPH', b'ANIM', b'ANMF'}
    wanted |= {b'ICCP', b'EXIF'} if with_meaning else set()
    told = min(len(data), 8 + int.from_bytes(data[4:8], 'little'))
    while len(kind := data[position : position + 4]) == 4 and position < told:
        length = int.from_bytes(data[position + 4 : position + 8], 'little')
        end = position + 8 + length + length % 2
        is_whole = end <= told + length % 2
        if kind in wanted and (is_whole or kind not in (b'ICCP', b'EXIF')):
            kept.append(data[position : min(end, told + length % 2)])
        position = end
    there = {each[:4] for each in kept}
    if kept and kept[0][:4] == b'VP8X' and len(kept[0]) >= 18:
        # Its flags say which chunks follow; those of opacity and animation stay, others are unused.
        flags = kept[0][8] & 0x12 | (b'ICCP' in there) << 5 | (b'EXIF' in there) << 3
        kept[0] = kept[0][:8] + bytes([flags, 0, 0, 0]) + kept[0][12:]
    body = b'WEBP' + b''.join(kept)
    return b'RIFF' + struct.pack('<I', len(body)) + body


# By how a TIFF begins: its byte order, where the place of the first directory stands, how long a
# count and an entry of a directory are.
_TIFF_LAYOUTS = {
    b'II*\0': ('<', 4, 'I', 'H', 12),
    b'MM\0*': ('>', 4, 'I', 'H', 12),
    b'II+\0': ('<', 8, 'Q', 'Q', 20),
    b'MM\0+': ('>', 8, 'Q', 'Q', 20),
}
# Tags that say how the pixels are stored, and what they are.
_TIFF_TAGS = {254, 255, *range(256, 260), 262, 263, 264, 265, 266, 273, *range(277, 282), 284}
_TIFF_TAGS |= {292, 293, 301, 317, *range(320, 326), 330, 332, 336, 338, 339, 340, 341, 347}
_TIFF_TAGS |= {*range(512, 522), *range(529, 533), 50706}
_TIFF_MEANING = {274, 34675}


def _tiff(data: bytes, with_meaning: bool) -> bytes:
    """Keep the entries of the first directory of a TIFF that its pixels need, at their place."""
    order, at, place, count, size = _TIFF_LAYOUTS[data[:4]]
    wanted = _TIFF_TAGS | (_TIFF_MEANING if with_meaning else set())
    try:
        (start,) = struct.unpack_from(order + place, data, at)
        (entries,) = struct.unpack_from(order + count, data, start)
    except struct.error:
        return data
    first = start + struct.calcsize(count)
    end = first + entries * size
    if end > len(data):
        return data
    kept = [
        entry
        for entry in (data[each : each + size] for each in range(first, end, size))
        if struct.unpack_from(order + 'H', entry)[0] in wanted
    ]
    # No directory follows: those of further pictures may be broken too.
    table = struct.pack(order + count, len(kept)) + b''.join(kept) + bytes(struct.calcsize(place))
    return data[:start] + table + data[start + len(table) :]
