"""Count what decoding an image holds in memory, and refuse too much before anything is decoded.

A file of some kilobytes may stand for gigabytes of pixels. The count is in pixels of RGB of 8 bits,
of 3 bytes each: a picture that is held in more bytes, or more than once, counts for more pixels.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from PIL import Image, TiffImagePlugin

from library.config.fields import PROJECT, Options, option
from library.preparation.formats import MAX_PIXELS, RejectedImage

_RGB = 3
# Bytes for each pixel, by Pillow's mode, where it is not _RGB. Pictures that have to be laid on a
# background or converted are held before and after it.
_BYTES = {'RGBA': 5, 'LA': 5, 'PA': 5, 'La': 7, 'RGBa': 5, 'YCbCr': 5, 'LAB': 5, 'CMYK': 7, 'I': 4}
# WebP's library holds the picture four times, of an animation's canvas and of what came before.
_WEBP = 10
# Of AVIF and HEIC: the picture as it is coded, as RGB, and once more for Python.
_AVIF = 2
# OpenJPEG takes 4 bytes for each sample.
_JPEG2000 = 4
# Bytes of a file that do not count: the least part of what is held.
_FREE_FILE = 50_000_000
# More than 8 bits in a header of AVIF or HEIC: bits of each channel.
_DEEP_CHANNELS = re.compile(rb'pixi.{4}[\1-\4][\x09-\x10]', re.DOTALL)


class TooLargeImage(RejectedImage):
    """The image would take too much memory; it makes no difference what else is in the file."""


@dataclass(frozen=True)
class SizeOptions(Options, group='data', home=PROJECT):
    """Which images are too large to decode."""

    max_pixels: int = option(
        MAX_PIXELS,
        'Larger images are refused before they are decoded. What decoding holds counts, 3 bytes a '
        'pixel: a JPEG counts by the size at which it is decoded (down to 1/8, as max_edge '
        'allows), a progressive one by its coefficients; 16 bits count twice, opacity for 5/3, '
        'CMYK for 7/3, AVIF for 5/3, WebP for 10/3.',
        unit='pixels',
        low=64,
    )


def check_decoded_size(
    image: Image.Image,
    data: bytes,
    max_pixels: int,
    size: tuple[int, int],
    held_bytes: int = 0,
) -> None:
    """Refuse an image that would take too much memory.

    Args:
      image: opened, at the size at which it will be decoded; nothing is loaded.
      data: the file.
      max_pixels: how many pixels it may count for.
      size: width and height that the file tells of, for the message.
      held_bytes: what the decoder holds besides the pixels.

    Raises:
      RejectedImage: it counts for more.
    """
    # Of PNG and WebP a copy without metadata may be made.
    copies = 2 if image.format in ('PNG', 'WEBP') else 1
    held_bytes += copies * max(0, len(data) - _FREE_FILE)
    held_bytes += image.width * image.height * _bytes_per_pixel(image, data)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        held_bytes += _bytes_of_strip(image)
    check_pixels(size, math.ceil(held_bytes / _RGB), max_pixels)


def check_heif(size: tuple[int, int], is_deep: bool, max_pixels: int) -> None:
    """Raise RejectedImage if decoding a picture of HEIF would hold too much.

    Args:
      size: width and height. is_deep: it has more than 8 bits a channel.
      max_pixels: how many pixels it may count for.
    """
    width, height = size
    held_bytes = width * height * (_RGB + _AVIF) * (2 if is_deep else 1)
    check_pixels(size, math.ceil(held_bytes / _RGB), max_pixels)


def check_pixels(size: tuple[int, int], counted: int, max_pixels: int) -> None:
    """Raise RejectedImage if `counted` pixels are too many."""
    if counted > max_pixels:
        width, height = size
        counts = '' if counted == width * height else f' counts as {counted} pixels, which'
        raise TooLargeImage(f'{width}x{height}{counts} is more than --max_pixels {max_pixels}')


def _bytes_per_pixel(image: Image.Image, data: bytes) -> int:
    """Return what a pixel takes while the image is decoded and becomes RGB."""
    if image.format == 'WEBP':
        return _WEBP
    if image.format == 'JPEG2000':
        return _JPEG2000 * max(_RGB, len(image.getbands()))
    needed = _BYTES.get(image.mode, _RGB) + (_AVIF if image.format in ('AVIF', 'HEIF') else 0)
    if image.mode == 'RGB' and image.has_transparency_data:
        needed = _BYTES['RGBA']
    return needed * (2 if _is_deep(image, data) else 1)


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """Return whether the file has more than 8 bits a channel, whatever Pillow makes of it."""
    if image.format == 'PNG':
        return data[24] > 8
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))) > 8
    if image.format in ('AVIF', 'HEIF'):
        return bool(_DEEP_CHANNELS.search(data[:10_000]))
    return image.mode.startswith(('I', 'F'))


def _bytes_of_strip(image: TiffImagePlugin.TiffImageFile) -> int:
    """Return what one strip or tile takes, which is decoded whole however little of it is shown."""
    tags = image.tag_v2
    # A turn is made by Pillow on loading, of a copy.
    turned = 4 * image.width * image.height if tags.get(0x112, 1) != 1 else 0
    if tags.get(TiffImagePlugin.COMPRESSION, 1) == 1 and TiffImagePlugin.TILEWIDTH not in tags:
        return turned  # strips are taken from the file as they are
    bits = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    samples = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
    width = tags.get(TiffImagePlugin.TILEWIDTH, image.width)
    height = tags.get(TiffImagePlugin.TILELENGTH)
    if height is None:
        height = min(tags.get(TiffImagePlugin.ROWSPERSTRIP, image.height), image.height)
    return int(width * height * samples * bits / 8) + turned
