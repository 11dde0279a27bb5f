"""Convert pixels from the colours of an ICC profile to sRGB, with littleCMS.

This module is imported where a profile is met: most images have none.
"""

from __future__ import annotations

import functools
import io
from itertools import product

from PIL import Image, ImageChops, ImageCms

# Pillow's mode of pixels that a profile of this colour space may describe.
MODES = {'RGB': 'RGB', 'GRAY': 'L', 'CMYK': 'CMYK'}
# Profiles of devices and colour spaces; others map between profiles, or hold named colours.
DEVICE_CLASSES = {'mntr', 'scnr', 'prtr', 'spac'}

# A profile of sRGB moves no colour further than this, of 255; its curve may be a rounded one.
SAME = 2


class BrokenProfile(ValueError):
    """It cannot be read, or describes other pixels than those it came with."""


@functools.lru_cache(maxsize=16)
def find_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what brings colours to sRGB, relative colorimetric with black point compensation.

    Args:
      profile: the content of an ICC profile.
      mode: Pillow's mode of the pixels: 'RGB', 'L' or 'CMYK'.

    Returns:
      A transform from this mode to RGB; None for a profile of sRGB, whatever it calls itself.

    Raises:
      BrokenProfile: it cannot be used.
    """
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = opened.profile.xcolor_space.strip()
        if MODES.get(space) != mode or opened.profile.device_class not in DEVICE_CLASSES:
            raise BrokenProfile(f'a profile of {space} with pixels of {mode}')
        transform = ImageCms.buildTransform(
            opened,
            ImageCms.createProfile('sRGB'),
            mode,
            'RGB',
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, TypeError) as error:
        raise BrokenProfile(str(error)) from None
    return None if mode != 'CMYK' and _keeps_all(transform, mode) else transform


def _keeps_all(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Return True if the transform changes no colour to speak of."""
    if mode == 'L':
        pixels = bytes(range(256))
    else:
        pixels = bytes(value for color in product(range(0, 256, 15), repeat=3) for value in color)
    colors = Image.frombytes(mode, (len(pixels) // len(mode), 1), pixels)
    changes = ImageChops.difference(transform.apply(colors), colors.convert('RGB')).tobytes()
    return max(changes) <= SAME
