"""Declare what the pixels of a file mean, as a conversion, a run and its predictions must agree."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from library.config.fields import PROJECT, Options, as_written, option

WHITE = (255, 255, 255)

# The levels that a conversion may measure, and the word that asks for it.
LEVELS = ('black_value', 'white_value')
AUTO = 'auto'


@dataclass(frozen=True)
class PictureOptions(Options, group='data', home=PROJECT):
    """How pixels become RGB of eight bits.

    Whatever says so differently from other images is kept in the manifest of a data set, and with
    the run that trains on it.

    Attributes:
      measures: 'auto' is legal as a level; a conversion puts numbers in its place.
    """

    measures: ClassVar[bool] = False

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
    bands: tuple[int, ...] = option(
        (),
        'Bands of TIFFs to take, from 1: red, green and blue, or one for grey, such as 1,2,3 where '
        'the fourth is infrared rather than opacity. None: as the file says.',
        low=1,
        kept_with_run=True,
        needs='train_metadata',
    )
    black_value: str | None = option(
        None,
        'Value that becomes black in images of more than 8 bits, for all of them: a number, or '
        'auto, which a conversion measures. None: 0.',
        kept_with_run=True,
        needs='train_metadata',
    )
    white_value: str | None = option(
        None,
        'Value that becomes white in images of more than 8 bits, for all of them: a number such as '
        '4095 for 12 bits, or auto, which a conversion measures. None: what each file says, or the '
        'highest that its bits can hold.',
        kept_with_run=True,
        needs='train_metadata',
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.background) != 3:
            raise ValueError(
                'background: red, green and blue have to be given, such as 255,255,255'
            )
        if len(self.bands) not in (0, 1, 3):
            raise ValueError('bands: three have to be given, or one for grey')
        for name in LEVELS:
            self._check_level(name)
        if self.black is not None and self.white is not None and self.black >= self.white:
            raise ValueError(f'white_value: {self.white_value} is not above the black value')

    @property
    def black(self) -> float | None:
        """Return the value that becomes black; None where the file says it, or it is measured."""
        return _number(self.black_value)

    @property
    def white(self) -> float | None:
        """Return the value that becomes white; None where the file says it, or it is measured."""
        return _number(self.white_value)

    def _check_level(self, name: str) -> None:
        """Refuse what is no level; write equal numbers in one way, as digests hold them."""
        text = getattr(self, name)
        if text == AUTO and not self.measures:
            raise ValueError(
                f'{name}: auto is measured by a conversion alone: give a number, or convert the '
                f'data set first'
            )
        if text is None or text == AUTO:
            return
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError(f'{name}: {text!r} is neither a number nor {AUTO}')
        object.__setattr__(self, name, written(number))

    def to_json(self) -> dict[str, Any]:
        """Return the values by name, as a manifest keeps them: several as a list."""
        values = ((each.name, getattr(self, each.name)) for each in fields(PictureOptions))
        return {name: list(each) if isinstance(each, tuple) else each for name, each in values}


def as_flags(pictures: PictureOptions) -> str:
    """Write what differs from the defaults as it is typed, such as '--white_value 4095'."""
    flags = []
    for each in fields(PictureOptions):
        value = getattr(pictures, each.name)
        if value != each.default:
            flags.append(f'--{each.name}{"" if value is True else f" {as_written(value)}"}')
    return ' '.join(flags)


def written(level: float) -> str:
    """Write a level in the one way that options and manifests hold it."""
    return str(int(level)) if level == int(level) else repr(level)


def _number(level: str | None) -> float | None:
    return None if level in (None, AUTO) else float(level)


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
        return replace(BEFORE, **read)
    except TypeError as error:
        raise ValueError(str(error)) from None
