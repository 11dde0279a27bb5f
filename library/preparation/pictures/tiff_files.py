"""Say why Pillow does not read a TIFF, and correct the palettes that it reads as black."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from PIL import Image, TiffImagePlugin

# What Pillow says where it only lacks a name for the kind of samples.
_UNKNOWN = (
    'unknown pixel mode',
    'unknown data organization',
    'Invalid value for samples per pixel',
)

# Compressions that Pillow's libtiff is built without, and others that people meet, by their number.
LACKING = {
    32809: 'ThunderScan',
    34661: 'JBIG',
    34712: 'JPEG 2000',
    34887: 'LERC',
    50001: 'WebP',
    50002: 'JPEG XL',
    52546: 'JPEG XL',
}
COMPRESSIONS = {
    1: '',
    5: 'LZW',
    6: 'old JPEG',
    7: 'JPEG',
    8: 'deflate',
    32773: 'PackBits',
    32946: 'deflate',
    50000: 'Zstandard',
}
PHOTOMETRICS = {
    0: 'grey',
    1: 'grey',
    2: 'RGB',
    3: 'a palette',
    4: 'a mask',
    5: 'CMYK',
    6: 'YCbCr',
    8: 'CIELab',
    9: 'ICCLab',
    32803: 'a colour filter array',
    32845: 'LogLuv',
}
# What the numbers are that samples consist of.
SAMPLE_FORMATS = {2: 'signed ', 3: 'floating-point ', 5: 'complex ', 6: 'complex '}

# What Pillow decodes in every arrangement: grey, RGB and palettes.
_USUAL = (0, 1, 2, 3)


def why_not_opened(data: bytes, why: str) -> str:
    """Say what is in a TIFF that Pillow does not open.

    Args:
      data: the whole file.
      why: Pillow's own reason.
    """
    tags = _tags(data)
    lacking = _lacking(tags)
    if lacking:
        return lacking
    described = _described(tags) if why in _UNKNOWN or why.isdigit() else ''
    return f'cannot be read (TIFF: {described or why})'


def why_not_decoded(image: Image.Image, error: object) -> str | None:
    """Say why a TIFF that was opened is not decoded; None where it is damaged."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return None
    tags = image.tag_v2
    lacking = _lacking(tags)
    if lacking or tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 1) in _USUAL:
        return lacking
    return f'damaged, or of a kind that Pillow does not decode ({error}; {_described(tags)})'


def with_whole_palette(image: Image.Image) -> Image.Image:
    """Return a palette's picture with its colours, where a TIFF holds them in 8 bits.

    The standard has 16 bits, of which Pillow takes the high ones; scanners and fax programs write
    8, and libtiff's own tools go by the highest entry.
    """
    if not isinstance(image, TiffImagePlugin.TiffImageFile) or image.mode not in ('P', 'PA'):
        return image
    entries = image.tag_v2[TiffImagePlugin.COLORMAP]
    if max(entries) > 255:
        return image
    count = len(entries) // 3
    planes = (entries[start : start + count] for start in range(0, 3 * count, count))
    corrected = image.copy()
    corrected.putpalette([value for color in zip(*planes, strict=True) for value in color])
    return corrected


def _tags(data: bytes) -> Mapping[int, Any]:
    """Read the tags of a file's first picture; none where they are damaged."""
    try:
        file = io.BytesIO(data)
        header = file.read(16 if data[2:4] in (b'+\0', b'\0+') else 8)
        directory = TiffImagePlugin.ImageFileDirectory_v2(header)
        file.seek(directory.next)
        directory.load(file)
        return dict(directory)
    except Exception:  # Pillow raises about anything here
        return {}


def _lacking(tags: Mapping[int, Any]) -> str | None:
    name = LACKING.get(tags.get(TiffImagePlugin.COMPRESSION, 1))
    return f"compressed with {name}, which Pillow's libtiff lacks" if name else None


def _described(tags: Mapping[int, Any]) -> str:
    """Describe the samples, such as '13 bands of 16 bits, grey, LZW'; '' where nobody knows."""
    if not tags:
        return ''
    try:
        bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
        bands = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, len(bits))
        numbers = tags.get(TiffImagePlugin.SAMPLEFORMAT, ())
        signed = sorted({SAMPLE_FORMATS.get(each, '') for each in numbers})
        depth = '/'.join(map(str, sorted(set(bits))))
        photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0)
        compression = tags.get(TiffImagePlugin.COMPRESSION, 1)
        apart = bands > 1 and tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2
        parts = [
            f'{bands} {"band" if bands == 1 else "bands"} of {depth} {"or ".join(signed)}bits',
            PHOTOMETRICS.get(photometric, f'photometric {photometric}'),
            'planes apart' if apart else '',
            COMPRESSIONS.get(compression, f'compression {compression}'),
        ]
    except (TypeError, ValueError):  # tags of other types than the standard's
        return ''
    return ', '.join(part for part in parts if part)
