"""Name pictures of kinds that are not read here, by what they begin with, and the way on."""

from __future__ import annotations

import re

# As many bytes as the marks below need.
START = 132

RAW = "a camera's raw file: develop it into a JPEG or TIFF first"

_KINDS = (
    (
        rb'\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n',
        'JPEG XL, which is not read here: decode it into a PNG or JPEG first (djxl of libjxl)',
    ),
    (
        rb'.{128}DICM',
        'DICOM: write its picture as a PNG first, with the window that matters '
        '(dcm2img of DCMTK, or pydicom)',
    ),
    # Those that are TIFFs are known by their tags: DNG, CR2, NEF, ARW.
    (
        rb'.{4}ftypcrx |II\x1a\0\0\0HEAPCCDR'  # CR3, CRW
        rb'|FUJIFILMCCD-RAW|IIU\0|IIRO|IIRS|MMOR|FOVb|\0MRM',  # RAF, RW2, ORF, X3F, MRW
        RAW,
    ),
    (rb'8BPS', 'a Photoshop document: export it as a PNG or JPEG first'),
)
_MARKS = [(re.compile(mark, re.DOTALL), told) for mark, told in _KINDS]


def unread_kind(start: bytes) -> str | None:
    """Return what a file is and what to do about it; None if it is of none of these kinds.

    Args:
      start: the first START bytes, or more.
    """
    return next((told for mark, told in _MARKS if mark.match(start)), None)
