"""Decode HEIF: the HEIC of iPhones, and the HIF of cameras.

This module is imported where such a file is met, and no earlier: its decoder and NumPy take longer
to import than a photo to convert.
"""

from __future__ import annotations

from typing import Any

from PIL import Image

from library.preparation.formats import RejectedImage, one_line
from library.preparation.pictures.decoded_size import check_heif

NO_DECODER = 'HEIF: its decoder is not installed (the package pi-heif)'


def open_heif(data: bytes, max_pixels: int) -> Image.Image:
    """Decode the primary picture of a file; libheif itself turns and crops it.

    Depth, gain maps, thumbnails and further pictures of a burst are left alone.

    Args:
      data: the whole file, of HEIF by its brands.
      max_pixels: as `SizeOptions` counts them.

    Returns:
      The picture in 8 bits for each channel, upright, with `info` holding only its ICC profile.

    Raises:
      RejectedImage: too many pixels, another codec than HEVC, or no decoder.
      ValueError, EOFError, OSError, RuntimeError: it is damaged.
    """
    try:
        import pi_heif
    except ImportError:
        raise RejectedImage(NO_DECODER) from None
    options = pi_heif.options
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    # Workers take all cores already.
    options.DECODE_THREADS = 1
    pictures = pi_heif.HeifFile(data, convert_hdr_to_8bit=False)
    # Pictures of codecs that libheif does not know are left out of these.
    picture = next((each for each in pictures if each.info['primary']), None)
    if picture is None:
        raise RejectedImage('HEIF whose primary picture is missing or of an unknown codec')
    check_heif(picture.size, ';' in picture.mode, max_pixels)
    try:
        picture.load()
    except RuntimeError as error:
        if 'not been built in' in str(error):
            raise RejectedImage(f'HEIF of a codec that is not read ({one_line(error)})') from None
        raise
    image = _in_pillow(picture)
    image.format = 'HEIF'
    if profile := picture.info.get('icc_profile'):
        image.info['icc_profile'] = profile
    return image


def _in_pillow(picture: Any) -> Image.Image:
    """Bring a decoded picture of 8 to 16 bits to Pillow's 8."""
    mode, _, deep = picture.mode.partition(';')
    if not deep:
        pixels, stride = picture.data, picture.stride
    else:
        import numpy as np

        mode = 'L' if mode == 'I' else mode
        channels, bits = len(mode), picture.info['bit_depth']
        values = np.frombuffer(picture.data, '<u2').reshape(picture.size[1], -1)
        # The decoder shifts all values to the top of 16 bits.
        codes = np.arange(65_536) >> (16 - bits)
        table = (codes * 255 / (2**bits - 1) + 0.5).astype(np.uint8)
        stride = picture.size[0] * channels
        pixels = table[values[:, :stride]].tobytes()
    image = Image.frombytes(mode, picture.size, pixels, 'raw', mode, stride, 1)
    return image.convert('RGBA') if mode == 'RGBa' else image
