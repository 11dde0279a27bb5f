"""Name what a conversion altered in pictures, and tell it in a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # workers need the names alone
    from library.records.manifest import Changed

TURNED = 'turned'
RECOLORED = 'recoloured'
TONE_MAPPED = 'tone mapped'
BROKEN_PROFILE = 'broken colour profile ignored'
WINDOWED = 'windowed'
ON_BACKGROUND = 'laid on a background'
ONE_COLOUR = 'of one colour on the background'

# How the summary words them, where it is not by their names; others are named as they are.
WORDS = {
    TURNED: 'turned upright',
    RECOLORED: 'recoloured to sRGB',
    TONE_MAPPED: 'HDR tone mapped',
    BROKEN_PROFILE: 'colour profile broken or of other pixels, ignored',
    WINDOWED: 'with the black and white of the data set',
}
# Changes whose files a person may want to look at, and how many of them a line names.
LOOKED_AT = frozenset([BROKEN_PROFILE, ONE_COLOUR])
SHOWN = 10


def told_changes(changes: Iterable[Changed]) -> str:
    """Return one line on all of them; '' if there are none."""
    parts = []
    for each in changes:
        files = each.files[:SHOWN] if each.change in LOOKED_AT else ()
        more = ', ...' if len(files) < each.images else ''
        parts.append(told_change(each) + (f' ({", ".join(files)}{more})' if files else ''))
    return '; '.join(parts)


def told_change(change: Changed) -> str:
    """Return what was done, and to how many images."""
    return f'{WORDS.get(change.change, change.change)}: {change.images}'
