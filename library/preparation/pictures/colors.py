"""Find what brings the colours of a picture to sRGB, as its file says it.

An embedded ICC profile and the numbers of H.273 count; gAMA and cHRM of PNG do not, for they are
mostly wrong.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from library.preparation.pictures.bands import bands_of
from library.preparation.pictures.changes import BROKEN_PROFILE, RECOLORED, TONE_MAPPED
from library.preparation.pictures.picture_options import PictureOptions
from library.preparation.pictures.png_chunk import png_chunk

# Modes of grey, in which Pillow gives pixels that a grey profile may describe.
GREY = {'1', 'L', 'LA', 'La', 'I', 'I;16', 'I;16B', 'I;16L'}

# PQ and HLG of H.273, as in hdr.py, whose import would bring NumPy.
HDR_TRANSFERS = (16, 18)


@dataclass(frozen=True)
class Recoloring:
    """What brings an image to sRGB.

    Attributes:
      mode: Pillow's mode of what is converted, besides its opacity.
      change: the name of what is done.
    """

    mode: str
    change: str
    _convert: Callable[[Image.Image], Image.Image]

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return it as RGB, or as RGBA where it has transparency."""
        opacity = None
        if image.has_transparency_data:
            opacity = image.convert('RGBA').getchannel('A')
        image = image if image.mode == self.mode else image.convert(self.mode)
        converted = self._convert(image)
        if opacity is not None:
            converted.putalpha(opacity)
        return converted


def find_recoloring(
    image: Image.Image, data: bytes, pictures: PictureOptions
) -> tuple[Recoloring | None, tuple[str, ...]]:
    """Return what to do with the colours of an image, and what has to be told of it.

    Args:
      image: as it was opened: its mode and its `info` count.
      data: the whole file.
      pictures: of the data set; bands that were chosen are no colours of a profile.

    Returns:
      None and no change for sRGB, and for files that say nothing.
    """
    if pictures.keep_colors or bands_of(image, pictures.bands):
        return None, ()
    profile = image.info.get('icc_profile')
    numbers = _chunk_of_png(data) if image.format == 'PNG' else None
    if numbers is None and profile:
        # A profile counts more than the numbers of AVIF and HEIF, which are in it where HDR is.
        numbers = _tag_of_profile(profile)
        if numbers is None or numbers[1] not in HDR_TRANSFERS:
            return _by_profile(profile, _mode(image))
    numbers = numbers or image.info.get('cicp')
    return (_by_numbers(*numbers), ()) if numbers else (None, ())


def _mode(image: Image.Image) -> str:
    """Return the mode of the pixels that a profile describes."""
    return 'L' if image.mode in GREY else 'CMYK' if image.mode == 'CMYK' else 'RGB'


def _by_profile(profile: bytes, mode: str) -> tuple[Recoloring | None, tuple[str, ...]]:
    from library.preparation.pictures import icc

    try:
        transform = icc.find_transform(profile, mode)
    except icc.BrokenProfile:
        return None, (BROKEN_PROFILE,)
    if transform is None:
        return None, ()
    return Recoloring(mode, RECOLORED, transform.apply), ()


def _by_numbers(primaries: int, transfer: int) -> Recoloring | None:
    from library.preparation.pictures import cicp

    if cicp.is_srgb(primaries, transfer):
        return None
    convert = functools.partial(cicp.to_srgb, primaries=primaries, transfer=transfer)
    change = TONE_MAPPED if transfer in HDR_TRANSFERS else RECOLORED
    return Recoloring('RGB', change, convert)


def _chunk_of_png(data: bytes) -> tuple[int, int] | None:
    """Return primaries and transfer function of a PNG that names them before its pixels."""
    chunk = png_chunk(data, b'cICP')
    return (chunk[0], chunk[1]) if len(chunk) > 1 else None


def _tag_of_profile(profile: bytes) -> tuple[int, int] | None:
    """Return primaries and transfer function of an ICC profile that names them (tag cicp)."""
    count = min(int.from_bytes(profile[128:132], 'big'), 100)
    for at in range(132, 132 + 12 * count, 12):
        if profile[at : at + 4] == b'cicp':
            start = int.from_bytes(profile[at + 4 : at + 8], 'big') + 8
            return (profile[start], profile[start + 1]) if len(profile) > start + 1 else None
    return None
