"""Read a picture of more than 8 bits or of other bands as its data set means it.

A window that was chosen for a data set counts for every picture of more than 8 bits, whatever the
file itself says. Pictures of 8 bits are as they are, and so is opacity.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageFile, TiffImagePlugin

from library.preparation.formats import RejectedImage
from library.preparation.pictures.bands import INVERTED, bands_of
from library.preparation.pictures.changes import WINDOWED
from library.preparation.pictures.levels import FULL, stated_bits, to_bytes, uses_bits
from library.preparation.pictures.picture_options import PictureOptions
from library.preparation.pictures.samples import (
    is_deep_colour,
    packing,
    read_deep,
    read_numbers,
    read_tiff,
)
from library.preparation.pictures.tiff_files import with_whole_palette

if TYPE_CHECKING:
    import numpy as np

# Pixels that do not say which value is white, by Pillow's mode.
UNSCALED = {'I': '32-bit or signed whole numbers', 'F': '32-bit floating-point numbers'}

# The formats that hold more than 8 bits or bands to choose from, of those that Pillow reads so.
KINDS = ('PNG', 'TIFF', 'PPM', 'JPEG2000')

# Bytes that a pixel takes as numbers of 16 and 32 bits and once it is mapped, by measurement.
_MAPPED = 11

# Where a PNG says its bits.
_PNG_BITS = 24
# The start of a JPEG 2000's header, and where behind it the bits of the first band stand.
_SIZ, _BITS_BEHIND = b'\xff\x4f\xff\x51', 42


@dataclass(frozen=True)
class Deep:
    """The samples of a picture.

    Attributes:
      values: uint8, uint16, int32, uint32 or float32 [height, width, bands], one band of grey or
        three of RGB.
      opacity: uint8 [height, width]; None where all is opaque.
      white: the highest value by the file; None where it does not say.
      inverted: white is 0.
    """

    values: np.ndarray
    opacity: np.ndarray | None
    white: float | None
    inverted: bool = False


def check_scaled(image: Image.Image, pictures: PictureOptions) -> None:
    """Raise RejectedImage for pixels of which nobody says which value is white.

    Args:
      image: was opened.
      pictures: of the data set.
    """
    # PPM uses Pillow's 32 bits for 16.
    is_scaled = image.mode not in UNSCALED or (image.mode, image.format) == ('I', 'PPM')
    if not is_scaled and pictures.white is None:
        raise RejectedImage(
            f'{UNSCALED[image.mode]}: the file does not say which value is white '
            f'(convert_dataset.py --white_value)'
        )


def held_by_levels(image: Image.Image, data: bytes, pictures: PictureOptions) -> int:
    """Return how many bytes mapping to eight bits takes beside the decoded picture.

    Args:
      image: was opened, and not loaded.
      data: its file.
      pictures: of the data set.
    """
    is_read = _has_window(pictures) or stated_bits(image, data) is not None
    is_colour = is_read and isinstance(image, ImageFile.ImageFile) and is_deep_colour(image)
    return _MAPPED * image.width * image.height if is_colour or image.mode in UNSCALED else 0


def _has_window(pictures: PictureOptions) -> bool:
    return pictures.black is not None or pictures.white is not None


def read_as_meant(
    image: Image.Image, data: bytes, pictures: PictureOptions
) -> tuple[Image.Image, tuple[str, ...]]:
    """Read a picture of more than 8 bits, or some bands of one.

    Args:
      image: was loaded.
      data: its file.
      pictures: of the data set.

    Returns:
      The picture, which is `image` itself where Pillow is right, and what was done: (WINDOWED,) if
      the levels of the data set counted.

    Raises:
      RejectedImage: Pillow cannot read it at its depth, or its white is not above the black.
    """
    if image.format not in KINDS or _has_8_bits(image, data, pictures):
        return with_whole_palette(image), ()
    has_window = _has_window(pictures)
    deep = read_samples(image, data, pictures.bands, stated_alone=not has_window)
    if deep is None:
        if has_window:
            _check_shrunk(image, data, pictures)
        return with_whole_palette(image), ()
    meant = _to_image(deep, pictures)
    return meant, (WINDOWED,) if has_window and deep.values.dtype != 'uint8' else ()


def _has_8_bits(image: Image.Image, data: bytes, pictures: PictureOptions) -> bool:
    """Return True where nothing but 8 bits can be in a file, without opening it once more."""
    if image.mode.startswith(('I', 'F')):
        return False
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bits = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
        return not pictures.bands and max(bits) <= 8
    return image.format == 'PNG' and data[_PNG_BITS : _PNG_BITS + 1] != b'\x10'


def read_samples(
    image: Image.Image, data: bytes, bands: tuple[int, ...], *, stated_alone: bool
) -> Deep | None:
    """Read the samples of a picture; None where Pillow's own picture is right.

    Args:
      image: was loaded; of one of KINDS.
      data: its file.
      bands: as `PictureOptions` has them.
      stated_alone: 16-bit colour is worth its time only where the file says that it uses fewer.

    Raises:
      RejectedImage: Pillow cannot read it at its depth.
    """
    opened = Image.open(io.BytesIO(data), formats=(image.format or '',))
    if taken := bands_of(opened, bands):
        values = read_tiff(data, max(taken))[..., [band - 1 for band in taken]]
        return Deep(values, None, _own_white(opened, data, values), _is_inverted(opened))
    if image.mode.startswith(('I', 'F')):
        return _grey(opened, image, data)
    if is_deep_colour(opened) and not (stated_alone and stated_bits(opened, data) is None):
        return _colour(opened, image, data)
    return None


def _grey(opened: ImageFile.ImageFile, image: Image.Image, data: bytes) -> Deep:
    """Take the samples that Pillow read, as the file holds them."""
    import numpy as np

    is_tiff = opened.format == 'TIFF'
    values = read_numbers(data) if is_tiff and image.mode in UNSCALED else np.asarray(image)
    white: float | None = None
    if image.mode.startswith('I;16') or (image.mode, image.format) == ('I', 'PPM'):
        values = values.astype(np.uint16, copy=False)
        white = FULL
    clear = opened.info.get('transparency')
    opacity = np.where(values == clear, 0, 255).astype(np.uint8) if clear is not None else None
    if image.format == 'PPM' and white is not None:
        # Pillow spreads them over 16 bits.
        white = _ppm_white(opened) or FULL
        values = np.floor(values * (white / FULL) + 0.5).astype(np.uint16)
    elif image.format == 'JPEG2000':
        bits = _bits_of_jpeg2000(data)
        values, white = values >> (16 - bits), 2**bits - 1
    elif white is not None:
        white = _own_white(opened, data, values)
    return Deep(values[..., None], opacity, white, _is_inverted(opened))


def _colour(opened: ImageFile.ImageFile, image: Image.Image, data: bytes) -> Deep:
    """Read 16-bit colour, or grey with opacity."""
    import numpy as np

    values = read_deep(image, data)
    clear = opened.info.get('transparency')
    opacity = None
    if clear is not None:
        is_clear = (values == np.array(clear)).all(axis=-1)
        opacity = np.where(is_clear, 0, 255).astype(np.uint8)
    elif values.shape[2] in (2, 4):
        alpha, values = values[..., -1:], values[..., :-1]
        opacity = (alpha[..., 0] >> 8).astype(np.uint8)
        if packing(opened).startswith('RGBa'):  # the colours hold their opacity already
            values = np.minimum(values * (FULL / np.maximum(alpha, 1)), FULL).astype(np.uint16)
    return Deep(values, opacity, _own_white(opened, data, values))


def _to_image(deep: Deep, pictures: PictureOptions) -> Image.Image:
    import numpy as np

    mapped = deep.values
    if mapped.dtype != np.uint8:
        black = pictures.black or 0.0
        white = deep.white if pictures.white is None else pictures.white
        if white is None or white <= black:
            raise RejectedImage(f'its white value, {white}, is not above --black_value {black:g}')
        mapped = to_bytes(mapped, black, white)
    if deep.inverted:
        mapped = 255 - mapped
    if deep.opacity is not None:
        mapped = np.concatenate([mapped, deep.opacity[..., None]], axis=-1)
    return Image.fromarray(np.ascontiguousarray(mapped[..., 0] if mapped.shape[2] == 1 else mapped))


def _own_white(opened: ImageFile.ImageFile, data: bytes, values: np.ndarray) -> float:
    """Return the highest value that the samples of a PNG or TIFF can have, by its header."""
    if isinstance(opened, TiffImagePlugin.TiffImageFile):
        full = 2 ** opened.tag_v2[TiffImagePlugin.BITSPERSAMPLE][0] - 1
        if full < FULL:
            return full
    bits = stated_bits(opened, data)
    if bits and uses_bits(values, bits, opened.format == 'PNG'):
        return 2**bits - 1
    return FULL


def _is_inverted(opened: ImageFile.ImageFile) -> bool:
    if not isinstance(opened, TiffImagePlugin.TiffImageFile):
        return False
    return opened.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == INVERTED


def _ppm_white(opened: ImageFile.ImageFile) -> int | None:
    """Return the highest value of a PPM or PGM; None where Pillow takes its samples as they are."""
    args = opened.tile[0].args
    return args[1] if isinstance(args, tuple) and len(args) == 2 else None


def _bits_of_jpeg2000(data: bytes) -> int:
    """Return how many bits the first band has, 16 at most."""
    return min((data[data.index(_SIZ) + _BITS_BEHIND] & 0x7F) + 1, 16)


def _check_shrunk(image: Image.Image, data: bytes, pictures: PictureOptions) -> None:
    """Raise RejectedImage for colour of more than 8 bits that Pillow reads with 8."""
    own = None
    if image.format == 'PPM' and image.mode == 'RGB':
        own = _ppm_white(Image.open(io.BytesIO(data), formats=('PPM',)))
    elif image.format == 'JPEG2000':
        own = 2 ** _bits_of_jpeg2000(data) - 1
    if own and own > 255 and (pictures.black or 0, pictures.white or own) != (0, own):
        raise RejectedImage(
            f'colour of more than 8 bits ({image.format}), of which Pillow keeps 8: too few for '
            f'--black_value and --white_value'
        )
