"""Read the samples of a PNG or TIFF as the file holds them, at 16 bits and with every band.

Pillow opens 16-bit colour at eight bits: of each sample its unpackers keep the byte that the name
of the raw mode calls the high one, ';16B' the first and ';16L' the second. A file that is decoded
once under each name gives both bytes. The raw modes of more bands than the picture shows are used
in the same way, so that no other decoder has to be trusted.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from PIL import Image, ImageFile, TiffImagePlugin

from library.preparation.formats import RejectedImage

if TYPE_CHECKING:
    import numpy as np

# Pillow's mode of so many bands, with nothing worked out of one band by another.
MODES = {1: 'L', 2: 'LA', 3: 'RGB', 4: 'RGBX'}
MOST_BANDS = max(MODES)

# Which raw mode of 16 bits keeps the high byte of what libtiff hands over, and which the low one.
_HIGH, _LOW = ('L', 'B') if sys.byteorder == 'little' else ('B', 'L')

PLANES_APART = (
    'its bands lie in planes, which Pillow does not read so: interleave them first '
    '(tiffcp -p contig)'
)


def packing(image: ImageFile.ImageFile) -> str:
    """Return the raw mode of an image that was opened and not loaded; '' where it has none."""
    args = image.tile[0].args if image.tile else ''
    name = args[0] if isinstance(args, tuple) and args else args
    return name if isinstance(name, str) else ''


def is_deep_colour(image: ImageFile.ImageFile) -> bool:
    """Return True for more than 8 bits of colour, or of grey with opacity, before it is loaded."""
    return image.format in ('PNG', 'TIFF') and ';16' in packing(image)[2:] and image.mode != 'CMYK'


def read_deep(data: bytes, kind: str) -> np.ndarray:
    """Read a 16-bit PNG or TIFF for which `is_deep_colour` is True.

    Args:
      data: the whole file.
      kind: 'PNG' or 'TIFF'.

    Returns:
      uint16 [height, width, bands], opacity last where there is any.

    Raises:
      RejectedImage: Pillow cannot read it at 16 bits.
    """
    if kind == 'TIFF':
        return read_tiff(data, 4 if _opened(data, kind).mode == 'RGBA' else 3)
    name = packing(_opened(data, kind))
    if name == 'LA;16B':
        pixels = _unpacked(data, kind, 'RGBA', 'RGBA')
        return _joined(pixels[..., ::2], pixels[..., 1::2])
    mode = name.partition(';')[0]
    return _joined(_unpacked(data, kind, mode, name), _unpacked(data, kind, mode, f'{mode};16L'))


def read_tiff(data: bytes, bands: int) -> np.ndarray:
    """Read the first bands of a TIFF of grey or RGB, 8 or 16 bits each.

    Returns:
      uint8 or uint16 [height, width, bands].

    Raises:
      RejectedImage: Pillow cannot read it so.
    """
    image = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    tags = image.tag_v2
    there = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
    if bands > there:
        raise RejectedImage(f'has {there} {"band" if there == 1 else "bands"}, not {bands}')
    if bands > MOST_BANDS:
        raise RejectedImage(f'band {bands} cannot be read: Pillow reads the first {MOST_BANDS}')
    apart = there > 1 and tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2
    read = min(there, MOST_BANDS)
    if apart and there == 2:
        read = bands
    mode = MODES[read]
    if apart and (is_deep_colour(image) or read == 2):
        raise RejectedImage(PLANES_APART)
    if is_deep_colour(image):
        high, low = (_unpacked(data, 'TIFF', mode, f'{mode};16{byte}') for byte in (_HIGH, _LOW))
        return _joined(high, low)[..., :bands]
    name = mode if apart else mode + 'X' * (there - read)
    return _unpacked(data, 'TIFF', mode, name)[..., :bands]


def read_numbers(data: bytes) -> np.ndarray:
    """Read a TIFF of one band of signed, of 32-bit or of floating-point numbers.

    libtiff hands them over in the machine's order, where Pillow expects that of the file; and
    Pillow has no unsigned numbers of 32 bits.

    Returns:
      int32, uint32 or float32 [height, width].
    """
    image = _opened(data, 'TIFF')
    name = packing(image)
    ordered = name.replace('B', '') if sys.byteorder == 'little' else name
    pixels = _unpacked(data, 'TIFF', image.mode, ordered)[..., 0]
    return pixels.view('uint32') if name == 'I;32N' else pixels


def _opened(data: bytes, kind: str) -> ImageFile.ImageFile:
    return Image.open(io.BytesIO(data), formats=(kind,))


def _unpacked(data: bytes, kind: str, mode: str, raw_mode: str) -> np.ndarray:
    """Decode with another raw mode than Pillow chose: uint8 [height, width, bands]."""
    import numpy as np

    image = _opened(data, kind)
    (tile,) = image.tile
    args = (raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode
    image.tile = [tile._replace(args=args)]
    image._mode = mode
    image.load()
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _joined(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    import numpy as np

    both = high.astype(np.uint16)
    both <<= 8
    both |= low
    return both
