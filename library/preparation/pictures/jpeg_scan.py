"""Find in the markers of a JPEG what Pillow does not tell: its end, its kind, bytes between them.

Nothing is decoded: a search for markers costs a hundredth of that.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from library.preparation.formats import RejectedImage

# A marker, by its second byte; the ones left out stand within the pixels, or fill.
_MARKER = re.compile(rb'\xff([^\x00\x01\xff\xd0-\xd7])')
# Marks that pixels are coded anew from, numbered 0 to 7 and over again.
_RESTART = re.compile(rb'\xff([\xd0-\xd7])')
_RESTARTS = bytes(range(0xD0, 0xD8))

_START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# Kinds that every TensorFlow reads: baseline, extended and progressive, all of Huffman's codes.
# It refuses lossless ones (C3), and arithmetic codes (C9 and up) are an option of its build.
_COMMON = {0xC0, 0xC1, 0xC2}
# Kinds that libjpeg decodes at a fraction of the size: the others are not made of cosines.
_SCALABLE = {*_COMMON, 0xC9, 0xCA}
# Kinds whose every part of the picture comes in several scans.
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_END, _START_OF_SCAN, _LINES, _RESTART_INTERVAL = 0xD9, 0xDA, 0xDC, 0xDD


@dataclass(frozen=True)
class JpegScan:
    """The first picture of a JPEG.

    Attributes:
      end: how many bytes it takes; what follows is none of its business.
      is_common: every TensorFlow reads its kind, and as Pillow does.
      is_tidy: there is nothing that libjpeg warns of at each decoding, such as bytes between
        its parts; within the pixels nobody looked.
      is_scalable: libjpeg decodes it at 1/2, 1/4 or 1/8 of its size.
      held_bytes: what libjpeg holds of it besides pixels: the coefficients of the whole picture if
        they come in several scans, 2 bytes each, otherwise nothing that counts.
    """

    end: int
    is_common: bool
    is_tidy: bool
    is_scalable: bool
    held_bytes: int


def scan_jpeg(data: bytes) -> JpegScan:
    """Walk through the markers.

    TensorFlow refuses a JPEG without its end, where Pillow may take what follows a cut (the zeros
    of a download that was given up) for pixels. Both take pixels that are not there for grey ones.

    Raises:
      RejectedImage: the end is missing, or pixels are.
    """
    position, scans, coded, interval, restarts = 2, 0, 0, 0, 0
    is_tidy, frame = True, _Frame(0, 0)
    kinds: set[int] = set()
    while marker := _MARKER.search(data, position):
        kind = marker[1][0]
        is_tidy = is_tidy and not data[position : marker.start()].strip(b'\xff')
        position = marker.end()
        if kind == _END:
            break
        segment = data[position : position + int.from_bytes(data[position : position + 2], 'big')]
        position += max(2, len(segment))
        is_tidy = is_tidy and not _is_doubtful(kind, segment, kinds)
        if kind in _START_OF_FRAME:
            frame = _read_frame(segment)
        if kind in _START_OF_FRAME or kind == _LINES:
            kinds.add(kind)
        elif kind == _RESTART_INTERVAL:
            interval = int.from_bytes(segment[2:4], 'big')
        elif kind == _START_OF_SCAN:
            start, position = position, _end_of_scan(data, position)
            scans += 1
            coded += position - start
            restarts = len(_restarts(data, start, position)) if interval else 0
    else:
        raise RejectedImage('damaged (image file is truncated: no end mark)')
    in_parts = scans > 1 or bool(kinds & _PROGRESSIVE)
    if kinds <= _COMMON:
        # No code is shorter than a bit: each block has one for its mean and one for the rest.
        is_short = 8 * coded < frame.blocks * (1 if in_parts else 2)
        if is_short or (interval and not in_parts and restarts < (frame.groups - 1) // interval):
            raise RejectedImage('damaged (part of its pixels is missing)')
    return JpegScan(
        end=position,
        is_common=kinds <= _COMMON,
        is_tidy=is_tidy,
        is_scalable=kinds <= _SCALABLE | {_LINES},
        held_bytes=2 * 64 * frame.blocks if in_parts else 0,
    )


def _is_doubtful(kind: int, segment: bytes, kinds: set[int]) -> bool:
    """Return whether libjpeg warns of a segment, and goes on."""
    if kind == _START_OF_SCAN and not kinds & _PROGRESSIVE:
        return segment[-3:] != b'\0\x3f\0'
    # Colours of another code than RGB and YCbCr, which three channels cannot be.
    return kind == 0xEE and segment[2:7] == b'Adobe' and segment[13:14] not in (b'', b'\0', b'\1')


def _end_of_scan(data: bytes, start: int) -> int:
    following = _MARKER.search(data, start)
    return following.start() if following else len(data)


def _restarts(data: bytes, start: int, end: int) -> bytes:
    """Return the restart marks of a scan.

    Raises:
      RejectedImage: one is missing or out of order, and pixels with it.
    """
    marks = b''.join(_RESTART.findall(data, start, end))
    if marks != (_RESTARTS * (len(marks) // 8 + 1))[: len(marks)]:
        raise RejectedImage('damaged (its restart marks are out of order)')
    return marks


class _Frame(NamedTuple):
    """How many blocks of 8 x 8 samples a picture has, and how many groups of them are coded."""

    blocks: int
    groups: int


def _read_frame(segment: bytes) -> _Frame:
    """Read a start of frame, from its length on; nothing if it is cut."""
    if len(segment) < 11 or len(segment) < 8 + 3 * segment[7]:
        return _Frame(0, 0)
    height, width = int.from_bytes(segment[3:5], 'big'), int.from_bytes(segment[5:7], 'big')
    factors = [(each >> 4, each & 15) for each in segment[9 : 8 + 3 * segment[7] : 3]]
    if len(factors) == 1:
        factors = [(1, 1)]  # one alone is coded block by block, whatever its factors
    across, down = (max((1, *each)) for each in zip(*factors, strict=True))
    groups = math.ceil(width / (8 * across)) * math.ceil(height / (8 * down))
    return _Frame(sum(groups * one * other for one, other in factors), groups)
