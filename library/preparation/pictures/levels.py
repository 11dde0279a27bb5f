"""Map samples of more than 8 bits to eight, by black and white values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, TiffImagePlugin

from library.preparation.pictures.png_chunk import png_chunk

if TYPE_CHECKING:
    import numpy as np

# A tag of TIFF.
MAX_SAMPLE_VALUE = 281

# The highest value of 16 bits.
FULL = 65_535

# Rows that are mapped at a time.
ROWS = 64


def stated_bits(image: Image.Image, data: bytes) -> int | None:
    """Return how many bits of its samples a file of 16 says it uses; None where it does not say.

    TIFF has MaxSampleValue, which counts if it is the highest value of so many bits: programs also
    write the highest that occurs, and by that one picture's white would not be that of the next.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        stated = image.tag_v2.get(MAX_SAMPLE_VALUE) or (0,)
        highest = max(stated) if isinstance(stated, tuple) else stated
        bits = int(highest).bit_length()
        return bits if 8 < bits < 16 and highest == 2**bits - 1 else None
    bits = max(png_chunk(data, b'sBIT'), default=0) if image.format == 'PNG' else 0
    return bits if 8 < bits < 16 else None


def uses_bits(values: np.ndarray, bits: int, is_png: bool) -> bool:
    """Return True if the samples are numbers of so many bits, as their file says.

    A PNG should hold fewer significant bits as the high ones of its samples, and many programs
    write the bare numbers. These leave the low bits empty in no picture; and a picture that would
    be darker than 1/16 of the range is rather one of bare numbers.

    Args:
      values: uint16 of any shape.
      bits: fewer than 16.
      is_png: the file is a PNG.
    """
    import numpy as np

    if values.max() >= 2**bits:
        return False
    low = 2 ** (16 - bits) - 1
    return not is_png or bits <= 12 or bool(np.bitwise_and(values, low).any())


def to_bytes(values: np.ndarray, black: float, white: float) -> np.ndarray:
    """Map black to 0 and white to 255, linearly, and what lies beyond to these; uint8.

    Half a level is rounded up; what is no number becomes black.

    Args:
      values: [height, ...] of any type of number.
      black, white: in the samples' unit; black is the lower one.
    """
    import numpy as np

    mapped = np.empty(values.shape, np.uint8)
    table = _mapped(np.arange(FULL + 1), black, white) if values.dtype == np.uint16 else None
    # In parts, as NumPy's numbers of 64 bits would take many times the memory of the picture.
    for start in range(0, len(values), ROWS):
        part = values[start : start + ROWS]
        mapped[start : start + ROWS] = _mapped(part, black, white) if table is None else table[part]
    return mapped


def _mapped(values: np.ndarray, black: float, white: float) -> np.ndarray:
    import numpy as np

    known = np.where(np.isnan(values), black, values).astype(np.float64)
    share = (np.clip(known, black, white) - black) / (white - black)
    return np.floor(share * 255 + 0.5).astype(np.uint8)
