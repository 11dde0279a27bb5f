"""Look at a sample of a data set's pictures: which values they use, and what opacity they have.

The sample is drawn by the digests of the files, so that it is the same however these are named,
sorted or spread over folders.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from library import files
from library.cores import count_cores
from library.preparation.encoding_options import EncodingOptions
from library.preparation.formats import RejectedImage, open_image
from library.preparation.pictures.bands import is_doubtful
from library.preparation.pictures.decoded_size import check_decoded_size
from library.preparation.pictures.levels import FULL
from library.preparation.pictures.reading import KINDS, Deep, read_samples
from library.preparation.pictures.side_data import picture_in
from library.preparation.progress import announced
from library.preparation.unwarned import Unwarned
from library.records.listing import LabelledImage, Part, read_content

# Pictures in memory together, as numbers: no more than workers elsewhere hold.
AT_ONCE = 4
# Files whose first bytes are looked at, and of these the ones that are decoded.
LOOKED_AT = 2000
DECODED = 200

# Endings of files that hold 8 bits, which are not even opened.
OF_8_BITS = ('.jpg', '.jpeg', '.jfif', '.gif', '.webp', '.bmp')
# Where a PNG says its bits, and what TIFF, JPEG 2000 and its bare codestream, and PGM begin with.
_PNG, _PNG_BITS = b'\x89PNG', 24
_ENOUGH = 64
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
    drawn = list(_drawn(images, digests))
    if not drawn:
        return []
    with (
        announced(f'looking at {len(drawn)} images'),
        ThreadPoolExecutor(min(AT_ONCE, count_cores())) as pool,
        _without_lines_of_libtiff(),
    ):
        looks = list(pool.map(lambda content: _look(content, encoding), drawn))
    return [look for look in looks if look is not None]


@contextlib.contextmanager
def _without_lines_of_libtiff() -> Iterator[None]:
    """Silence what libtiff prints about damaged files; the conversion reports these by name."""
    kept, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


def _drawn(
    images: Sequence[LabelledImage], digests: Sequence[bytes]
) -> Iterator[str | Part | bytes]:
    """Yield the files of the sample that may hold more than 8 bits, or a band to doubt."""
    drawn = (
        images[place].content
        for place in sorted(range(len(images)), key=digests.__getitem__)
        if not images[place].filename.lower().endswith(OF_8_BITS)
    )
    decoded = 0
    for _, content in zip(range(LOOKED_AT), drawn, strict=False):
        # Pixels without a file have 8 bits.
        if isinstance(content, str | Part | bytes) and _may_be_deep(_start_of(content)):
            yield content
            decoded += 1
            if decoded == DECODED:
                return


def _start_of(content: str | Part | bytes) -> bytes:
    """Read enough to see what a file is; b'' where that fails, which its conversion reports."""
    try:
        if isinstance(content, bytes):
            return content[:_ENOUGH]
        if isinstance(content, Part):
            return Part(content.path, content.start, min(content.size, _ENOUGH)).read()
        with files.open_binary(content) as file:
            return bytes(file.read(_ENOUGH))
    except Exception:
        return b''


def _may_be_deep(data: bytes) -> bool:
    data = data.lstrip(b'\t\n\r ')
    if data.startswith(_PNG):
        return data[_PNG_BITS : _PNG_BITS + 1] == b'\x10'
    return data.startswith(_OTHERS)


def _look(content: str | Part | bytes, encoding: EncodingOptions) -> Look | None:
    """Measure one picture; None if it is damaged, which its conversion reports."""
    try:
        data = picture_in(read_content(content))
        with UNWARNED:
            image = open_image(data, encoding.formats)
            if image.format not in KINDS:
                return None
            check_decoded_size(image, data, encoding.max_pixels, image.size)
            image.load()
            return _measure(image, data, encoding.pictures.bands)
    except Exception:
        return None


def _measure(image: Image.Image, data: bytes, bands: tuple[int, ...]) -> Look:
    import numpy as np

    doubtful = not bands and is_doubtful(image)
    has_opacity = image.format == 'TIFF' and image.mode in ('RGBA', 'LA', 'La')
    try:
        deep = read_samples(image, data, bands, stated_alone=False)
    except RejectedImage:
        # Planes of 16 bits, which without a window are stored by their high bytes.
        high_bytes = np.asarray(image.convert('RGB')).astype(np.uint16) << 8
        deep = Deep(high_bytes, None, FULL)
    if deep is None or deep.values.dtype == np.uint8:
        return Look(has_opacity=has_opacity, is_doubtful=doubtful)
    height, width = deep.values.shape[:2]
    step = math.isqrt(height * width // MOST_PIXELS) + 1
    values = deep.values[::step, ::step]
    values = values[np.isfinite(values)]
    low = float(np.percentile(values, DARKEST, method='lower'))
    high = float(np.percentile(values, BRIGHTEST, method='higher'))
    return Look(low, high, deep.white, True, has_opacity, doubtful)
