"""Estimate how much of the evaluation's pictures the model never sees.

Imports no TensorFlow.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

from library import files
from library.inputs.options import CROP, ImageOptions
from library.preparation.formats import EXTRA_FORMATS, FORMATS, open_image
from library.records.example import ENCODED, features_of
from library.records.external import ExternalRecords
from library.records.framing import read_records, walk
from library.records.listing import Listing
from library.records.manifest import Manifest

# Enough for a mean, in some milliseconds; taken from so many places, as a set may be sorted.
PICTURES, PLACES = 32, 8
# Less than this hardly ever decides what a picture shows.
WORTH_A_LINE = 0.2


def describe_unseen(split: Any, options: ImageOptions) -> str:
    """Say how much of a split's pictures is cut away where nothing is random.

    Args:
      split: a Manifest, ExternalRecords, a Listing, or noise, which has no pictures.
      options: how its pictures are fitted.

    Returns:
      A line, or '' where it is less than WORTH_A_LINE on average, or nobody knows.
    """
    sizes = list(_sizes(split))
    unseen = unseen_part(sizes, options.fit, options.center_crop)
    if unseen < WORTH_A_LINE:
        return ''
    remedies = []
    if unseen_part(sizes, options.fit, 1.0) >= WORTH_A_LINE:
        remedies.append('--fit pad or squeeze')
    if options.center_crop < 1:
        remedies.append('--center_crop 1')
    mean = 'on average ' if len(set(sizes)) > 1 else ''
    what = f'{mean}{100 * unseen:.0f} % of each evaluation picture is cut away'
    return f'{what}: {" and ".join(remedies)}'


def unseen_part(sizes: Sequence[tuple[int, int]], fit: str, center_crop: float) -> float:
    """Return the mean fraction of pictures' areas, 0 to 1, that `center_window` leaves out.

    Args:
      sizes: edges of the pictures in pixels, in either order; 0 is returned for none.
      fit, center_crop: as for `center_window`.
    """
    seen = center_crop**2
    shares = [min(size) / max(size) if fit == CROP else 1.0 for size in sizes]
    return 1 - seen * fmean(shares) if shares else 0.0


def _sizes(split: Any) -> Iterator[tuple[int, int]]:
    """Yield the sizes of some pictures, before an orientation tag; bad ones are told elsewhere."""
    for encoded in _pictures(split):
        # Pillow raises almost anything where the header is damaged.
        with contextlib.suppress(Exception):
            yield open_image(encoded, (*FORMATS, *EXTRA_FORMATS)).size


def _pictures(split: Any) -> Iterator[bytes]:
    """Yield some encoded pictures from all over a split, or from the starts of its files."""
    if isinstance(split, Listing):
        for image in _spread(split.images, PICTURES):
            with contextlib.suppress(OSError):
                yield files.read_bytes(str(image.content))
    elif isinstance(split, Manifest | ExternalRecords):
        key = split.keys.image if isinstance(split, ExternalRecords) else ENCODED
        paths = _spread(split.shard_paths, PLACES)
        for path in paths:
            starts, _ = walk(path, PICTURES // len(paths))
            for record in read_records(path, starts):
                if record is not None:
                    yield from features_of(record)[key].bytes_list.value


def _spread(items: Sequence[Any], most: int) -> list[Any]:
    """Return up to `most` items, evenly spread."""
    count = min(len(items), most)
    return [items[len(items) * number // count] for number in range(count)]
