"""Find how bright a data set's pictures are, before they are converted.

Depth shows over a data set: one dark picture says nothing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from library.errors import DataError
from library.preparation.encoding_options import EncodingOptions
from library.preparation.pictures.picture_options import AUTO, LEVELS, PictureOptions, written
from library.preparation.pictures.sample import Look, look_at_some
from library.records.listing import LabelledImage

# Shares of the range: pictures that use less are dark, or have one of fewer bits. And the share of
# the pictures from which on those of another kind are no exceptions.
HALF, EIGHTH = 0.5, 0.125
MIXED = 0.1
# So many may be dark or burnt out under one window, as a picture of the night or of a lamp is.
FEW = 0.02


def survey(
    images: Sequence[LabelledImage],
    digests: Sequence[bytes],
    encoding: EncodingOptions,
    tell: Callable[[str], None],
) -> EncodingOptions:
    """Put numbers in the place of 'auto', and tell what the options do not fit.

    Args:
      images: of all splits.
      digests: of their contents.
      encoding: how they are to be stored.
      tell: takes lines for a person.

    Raises:
      DataError: there is nothing between the black and the white that were measured.
    """
    looks = look_at_some(images, digests, encoding)
    deep = [look for look in looks if look.is_deep]
    for line in _doubts(looks):
        tell(line)
    pictures = encoding.pictures
    if AUTO in (pictures.black_value, pictures.white_value):
        pictures, line = _measured(pictures, deep)
        tell(line)
    elif pictures.black is None and pictures.white is None:
        for line in _unused(deep):
            tell(line)
    for line in _beyond(deep, pictures):
        tell(line)
    return dataclasses.replace(encoding, pictures=pictures)


def _measured(pictures: PictureOptions, deep: list[Look]) -> tuple[PictureOptions, str]:
    """Put the numbers of the sample in the place of 'auto'; say which.

    One picture in a hundred is left out at either end, and at least one of ten or more: a single
    bright one must not darken all others.
    """
    asked = [name for name in LEVELS if getattr(pictures, name) == AUTO]
    flags = ' '.join(f'--{name} {AUTO}' for name in asked)
    if not deep:
        nothing: dict[str, Any] = dict.fromkeys(asked)
        kept = dataclasses.replace(pictures, **nothing)
        return kept, f'no image of more than 8 bits was found: {flags} has no effect'
    left_out = math.ceil(len(deep) / 100) if len(deep) >= 10 else 0
    ends = {
        'black_value': sorted(look.low for look in deep)[left_out],
        'white_value': sorted(look.high for look in deep)[-1 - left_out],
    }
    levels: dict[str, Any] = {name: written(float(f'{ends[name]:.6g}')) for name in asked}
    try:
        found = dataclasses.replace(pictures, **levels)
    except ValueError:
        raise DataError(
            f'{flags}: {len(deep)} images of more than 8 bits hold values from '
            f'{ends["black_value"]:g} to {ends["white_value"]:g}, which leaves no room between '
            f'black and white'
        ) from None
    return found, (
        f'measured on {len(deep)} images of more than 8 bits: {_as_levels(found)} (give these to a '
        f'split that is converted alone)'
    )


def _as_levels(pictures: PictureOptions) -> str:
    """Return the flags of black and white that have a value."""
    return ' '.join(f'--{name} {value}' for name in LEVELS if (value := getattr(pictures, name)))


def _unused(deep: list[Look]) -> Iterator[str]:
    """Warn where pictures leave most of their range empty, as those of 10 to 14 bits do."""
    scaled = [look for look in deep if look.white and look.high]
    count = len(scaled)
    dark = _under(HALF, scaled)
    few = _under(EIGHTH, scaled)
    narrow = [look for look in scaled if look.high - look.low < EIGHTH * (look.white or 0)]
    if dark and 2 * len(dark) >= count:
        white = _white_for(dark)
        beyond = sum(look.high > white for look in scaled)
        apart = (
            f'; {beyond} others go beyond it: convert these apart' if beyond > 1 else ' (or auto)'
        )
        yield f'{_range_of(dark, count)}, and are stored dark: --white_value {white}{apart}'
    elif 2 * len(narrow) >= count and narrow:
        shown = f'{len(narrow)} of {count} images of more than 8 bits'
        yield f'warning: {shown} hold little contrast: --black_value auto --white_value auto'
    elif few and len(few) >= MIXED * count:
        yield f'{_range_of(few, count)}: convert them apart, with --white_value {_white_for(few)}'


def _under(share: float, looks: list[Look]) -> list[Look]:
    return [look for look in looks if look.white and look.high < share * look.white]


def _range_of(looks: list[Look], count: int) -> str:
    percent = math.floor(max(100 * look.high / (look.white or 1) for look in looks)) + 1
    return (
        f'warning: {len(looks)} of {count} images of more than 8 bits use less than {percent} % of '
        f'their range'
    )


def _white_for(looks: list[Look]) -> int:
    """Return the white by which the bits that they use are all that they have."""
    return int(2 ** int(max(look.high for look in looks)).bit_length() - 1)


def _beyond(deep: list[Look], pictures: PictureOptions) -> Iterator[str]:
    """Warn where one window, measured or given, leaves pictures nearly black or white."""
    black, white = pictures.black or 0.0, pictures.white
    if white is None:
        return
    if not deep:
        yield f'no image of more than 8 bits was found: {_as_levels(pictures)} has no effect'
        return
    known = [look for look in deep if look.high]
    dark = sum(look.high - black < EIGHTH * (white - black) for look in known)
    bright = sum(look.high - black > 2 * (white - black) for look in known)
    for count, how in ((dark, 'dark'), (bright, 'burnt out')):
        if count > FEW * len(known):
            yield (
                f'warning: {count} of {len(known)} images of more than 8 bits are stored {how} by '
                f'--white_value {pictures.white_value}: convert them apart'
            )


def _doubts(looks: list[Look]) -> Iterator[str]:
    """Warn where the opacity of TIFFs may be another band."""
    with_opacity = [look for look in looks if look.has_opacity]
    doubtful = sum(look.is_doubtful for look in with_opacity)
    if doubtful and doubtful >= MIXED * len(with_opacity):
        yield (
            f'warning: the last band of {doubtful} of {len(with_opacity)} TIFFs is taken for '
            f'opacity, and is hardly anywhere 0 or full: if it is another one, such as infrared, '
            f'--bands 1,2,3 leaves it out'
        )
