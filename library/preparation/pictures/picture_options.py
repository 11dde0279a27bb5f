"""Declare what the pixels of a file mean, as a conversion, a run and its predictions must agree."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from library.config.fields import PROJECT, Options, option

WHITE = (255, 255, 255)


@dataclass(frozen=True)
class PictureOptions(Options, group='data', home=PROJECT):
    """How pixels become RGB of eight bits.

    Whatever says so differently from other images is kept in the manifest of a data set, and with
    the run that trains on it.
    """

    background: tuple[int, ...] = option(
        WHITE,
        'Red, green and blue of what transparent pictures are laid on.',
        low=0,
        high=255,
        kept_with_run=True,
        needs='train_metadata',
    )
    keep_colors: bool = option(
        False,
        'Ignore colour profiles and HDR and keep the numbers of pixels; otherwise colours are '
        'converted to sRGB.',
        kept_with_run=True,
        needs='train_metadata',
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.background) != 3:
            raise ValueError(
                'background: red, green and blue have to be given, such as 255,255,255'
            )

    def to_json(self) -> dict[str, Any]:
        """Return the values by name, as a manifest keeps them."""
        return {each.name: getattr(self, each.name) for each in dataclasses.fields(PictureOptions)}


# What data sets and runs were made with that do not say it.
BEFORE = PictureOptions(keep_colors=True)


def from_json(kept: Mapping[str, Any] | str | None) -> PictureOptions:
    """Read what a manifest or a run kept; what it does not say is as in BEFORE.

    Raises:
      ValueError: it is something else.
    """
    if kept is None:
        return BEFORE
    values = json.loads(kept) if isinstance(kept, str) else kept
    read: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in values.items()
    }
    try:
        return dataclasses.replace(BEFORE, **read)
    except TypeError as error:
        raise ValueError(str(error)) from None
