"""Choose the bands of a TIFF, and doubt a fourth one that is no opacity."""

from __future__ import annotations

from PIL import Image, TiffImagePlugin

# What a TIFF's bands are where it is grey (white or black is 0) or RGB; others are no numbers to
# choose from.
INVERTED, GREY, RGB = 0, 1, 2
COLOURS = (1, 2, 3)


def bands_of(image: Image.Image, bands: tuple[int, ...]) -> tuple[int, ...]:
    """Return which bands of a file are taken, from 1; () where it is read as it says.

    Grey files have no second and third band: COLOURS means them too.

    Args:
      image: was opened.
      bands: as `PictureOptions` has them.
    """
    if not bands or not isinstance(image, TiffImagePlugin.TiffImageFile):
        return ()
    photometric = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION)
    if photometric not in (INVERTED, GREY, RGB):
        return ()
    if photometric != RGB and bands == COLOURS:
        bands = (1,)
    there = image.tag_v2.get(TiffImagePlugin.SAMPLESPERPIXEL, 3 if photometric == RGB else 1)
    return () if bands == tuple(range(1, there + 1)) else bands


def is_doubtful(image: Image.Image) -> bool:
    """Return True for a TIFF whose opacity is hardly anywhere 0 or 255: it may be a band instead.

    A cut-out is partly transparent along its edge alone.

    Args:
      image: was loaded.
    """
    if image.format != 'TIFF' or image.mode not in ('RGBA', 'LA', 'La'):
        return False
    counts = image.getchannel(image.mode[-1]).histogram()
    return 2 * sum(counts[1:255]) > sum(counts)
