"""Name what a conversion altered in pictures, and tell it in a line."""

from __future__ import annotations

from collections.abc import Iterable

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
    BROKEN_PROFILE: 'colour profile broken and ignored',
    WINDOWED: 'with the black and white of the data set',
}
# Changes that a person may want to look at: the manifest names the first of their files.
LOOKED_AT = frozenset([BROKEN_PROFILE, ONE_COLOUR])


def told_changes(changes: Iterable[Changed]) -> str:
    """Return one line on all of them; '' if there are none."""
    parts = []
    for each in changes:
        more = ', ...' if len(each.files) < each.images else ''
        names = f' ({", ".join(each.files)}{more})' if each.files else ''
        parts.append(f'{WORDS.get(each.change, each.change)}: {each.images}{names}')
    return '; '.join(parts)
