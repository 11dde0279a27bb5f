"""Warn where images to evaluate are read in another way than those that were trained on."""

from __future__ import annotations

import sys

from library.preparation.pictures.picture_options import as_flags, from_json
from library.records.external import ExternalRecords
from library.records.listing import Listing, Split
from library.records.manifest import Manifest
from library.runs.metadata import Run


def warn_of_other_pictures(run: Run, data: Split) -> None:
    """Warn on stderr where black, white, bands or background differ: results would tell nothing.

    Args:
      run: knows how its training images are read.
      data: what is evaluated.
    """
    if isinstance(data, Manifest):
        kept = data.options.get('pictures')
    elif isinstance(data, Listing | ExternalRecords):
        kept = data.pictures
    else:
        return
    trained, evaluated = from_json(run.stored_pictures), from_json(kept)
    if trained != evaluated:
        flags = [as_flags(each) or 'none of these options' for each in (evaluated, trained)]
        print(
            f'warning: {data.folder} was read with {flags[0]}, but the training images were read '
            f'with {flags[1]}: the model sees other pictures',
            file=sys.stderr,
        )
