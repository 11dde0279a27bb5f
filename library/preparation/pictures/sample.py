"""Look at a sample of a data set's pictures: which values they use, and what opacity they have.

The sample is drawn by the digests of the files, so that it is the same however these are named,
sorted or spread over folders.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from library import files
from library.cores import count_cores
from library.preparation.encoding_options import EncodingOptions
from library.preparation.formats import open_image
from library.preparation.pictures.bands import is_doubtful
from library.preparation.pictures.reading import KINDS, read_samples
from library.preparation.unwarned import Unwarned
from library.records.listing import Content, LabelledImage, Part

# Files whose first bytes are looked at, and of these the ones that are decoded.
LOOKED_AT = 2000
DECODED = 200

# Endings of files that hold 8 bits, which are not even opened.
OF_8_BITS = ('.jpg', '.jpeg', '.jfif', '.gif', '.webp', '.bmp')
# Where a PNG says its bits, and what TIFF, JPEG 2000 and its bare codestream, and PGM begin with.
_PNG, _PNG_BITS = b'\x89PNG', 24
_OTHERS = (b'II', b'MM', b'\0\0\0\x0cjP', b'\xff\x4f\xff\x51', b'P2', b'P5', b'Pf')

# Pixels to measure in one picture; more are left out evenly.
MOST_PIXELS = 1_000_000
# Darker and brighter pixels than these per cent are left out: dead and hot ones, and lamps.
DARKEST, BRIGHTEST = 0.1, 99.9

UNWARNED = Unwarned()


@dataclass(frozen=True)
class Look:
    """What was found in one picture.

    Attributes:
      low, high: the values that all but one pixel in a thousand reach, and stay under.
      white: the highest value by the file; None where it does not say.
      is_deep: it has more than 8 bits; otherwise these three are 0.
      has_opacity: it is a TIFF with opacity. is_doubtful: which may be another band.
    """

    low: float = 0
    high: float = 0
    white: float | None = 0
    is_deep: bool = False
    has_opacity: bool = False
    is_doubtful: bool = False


def look_at_some(
    images: Sequence[LabelledImage], digests: Sequence[bytes], encoding: EncodingOptions
) -> list[Look]:
    """Decode a sample of the pictures that may hold more than 8 bits, or a band to doubt.

    Args:
      images: of all splits.
      digests: of their contents.
      encoding: how they are to be stored.
    """
    with ThreadPoolExecutor(count_cores()) as pool:
        looks = pool.map(lambda data: _look(data, encoding), _drawn(images, digests))
        return [look for look in looks if look is not None]


def _drawn(images: Sequence[LabelledImage], digests: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the files of the sample that may hold more than 8 bits, or a band to doubt."""
    drawn = (
        images[place].content
        for place in sorted(range(len(images)), key=digests.__getitem__)
        if not images[place].filename.lower().endswith(OF_8_BITS)
    )
    decoded = 0
    for _, content in zip(range(LOOKED_AT), drawn, strict=False):
        try:
            data = _read(content)
        except Exception:  # it is reported when it is converted
            continue
        if data:
            yield data
            decoded += 1
            if decoded == DECODED:
                return


def _read(content: Content) -> bytes:
    """Read a file if its first bytes say that it is worth it; otherwise return b''."""
    if isinstance(content, bytes | Part):
        data = content if isinstance(content, bytes) else content.read()
        return data if _may_be_deep(data) else b''
    if not isinstance(content, str):
        return b''
    with files.open_binary(content) as file:
        start = file.read(_PNG_BITS + 1)
        return start + file.read() if _may_be_deep(start) else b''


def _may_be_deep(data: bytes) -> bool:
    if data.startswith(_PNG):
        return data[_PNG_BITS : _PNG_BITS + 1] == b'\x10'
    return data.startswith(_OTHERS)


def _look(data: bytes, encoding: EncodingOptions) -> Look | None:
    """Measure one picture; None if it is damaged, which is reported when it is converted."""
    try:
        with UNWARNED:
            image = open_image(data, encoding.formats)
            if image.format not in KINDS:
                return None
            image.load()
            return _measure(image, data, encoding.pictures.bands)
    except Exception:
        return None


def _measure(image: Image.Image, data: bytes, bands: tuple[int, ...]) -> Look:
    import numpy as np

    doubtful = not bands and is_doubtful(image)
    has_opacity = image.format == 'TIFF' and image.mode in ('RGBA', 'LA', 'La')
    deep = read_samples(image, data, bands, stated_alone=False)
    if deep is None or deep.values.dtype == np.uint8:
        return Look(has_opacity=has_opacity, is_doubtful=doubtful)
    height, width = deep.values.shape[:2]
    step = math.isqrt(height * width // MOST_PIXELS) + 1
    values = deep.values[::step, ::step]
    values = values[np.isfinite(values)]
    low = float(np.percentile(values, DARKEST, method='lower'))
    high = float(np.percentile(values, BRIGHTEST, method='higher'))
    return Look(low, high, deep.white, True, has_opacity, doubtful)
