"""Declare options as dataclass fields: each gives the flag, the YAML key, the check, the docs.

An options class is a frozen dataclass that derives from `Options`; each of its fields is made by
`option()`. The room that uses an option declares it, in its options.py.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

PROJECT = 'project.yaml'
HYPERPARAMETERS = 'hyperparameters.yaml'
COMMAND_LINE = 'the command line'
DERIVED = 'the run itself'

# What TensorFlow's own settings hold (int32).
LARGEST = 2**31 - 1

_TRUE = {'true', 'yes', 'on', '1'}
_FALSE = {'false', 'no', 'off', '0'}
_NONE = {'none', 'null', '~', ''}


@dataclass(frozen=True)
class Option:
    """One option: its name, what it may be, and how it is explained to a person."""

    name: str
    value_type: type
    optional: bool
    many: bool
    default: Any
    help: str
    unit: str
    low: float | None
    high: float | None
    above: float | None
    below: float | None
    choices: tuple[str, ...]
    kept_with_run: bool
    positional: bool
    commas: bool
    needs: str
    instead_of: str
    changes_images: bool
    offloads: bool
    group: str
    home: str
    modes: tuple[str, ...]

    def read(self, text: str | Sequence[str]) -> Any:
        """Turn written text into this option's value.

        Args:
          text: one scalar as it was written, or a list of them for a field of several values;
            a field of several values also takes one text with commas, or 'none' for no value.

        Raises:
          ValueError: the text is not of the type, outside the range, or not among the choices;
            the message is a sentence about the value.
        """
        if isinstance(text, str) and text.strip().lower() in _NONE and (self.optional or self.many):
            return None if self.optional else ()
        if self.many:
            if isinstance(text, str):
                text = self.parts_of(text)
            value: Any = tuple(self._read_one(part) for part in text)
        elif isinstance(text, str):
            value = self._read_one(text)
        else:
            raise ValueError(f'a list was given, expected {self.type_name}')
        self.check(value)
        return value

    def parts_of(self, text: str) -> list[str]:
        """Return the values in one text, for a field of several."""
        parts = [part.strip() for part in text.split(',')] if self.commas else [text]
        return [part for part in parts if part.strip()]

    def check(self, value: Any) -> None:
        """Raise ValueError unless `value` lies in the range or among the choices."""
        if value is None and self.optional:
            return
        for one in value if self.many else (value,):
            if isinstance(one, float) and not math.isfinite(one):
                raise ValueError(f'{one} is not a finite number')
            if isinstance(one, int) and abs(one) > LARGEST:
                raise ValueError(f'{one} is too large')
            if self.choices and one not in self.choices:
                raise ValueError(f'{one!r} is not one of {", ".join(self.choices)}')
            if not self._in_range(one):
                raise ValueError(f'{one} is out of range, expected {self.range_text}')

    @property
    def type_name(self) -> str:
        """Name the type of the value, in a reader's words."""
        several = f' (or several{", with commas" if self.commas else ""})' if self.many else ''
        names = {int: 'a whole number', float: 'a number', bool: 'true or false', str: 'a text'}
        return names[self.value_type] + several

    @property
    def default_text(self) -> str:
        """Return the default as a person would write it."""
        return as_written(self.default)

    @property
    def range_text(self) -> str:
        """Return the legal range as a person writes it, or '' where every value is legal."""
        low, high = (self.low, '<=') if self.above is None else (self.above, '<')
        top, top_sign = (self.high, '<=') if self.below is None else (self.below, '<')
        if low is None and top is None:
            return ''
        if top is None:
            return f'{">=" if high == "<=" else ">"} {low}'
        if low is None:
            return f'{top_sign} {top}'
        return f'{low} {high} value {top_sign} {top}'

    def _in_range(self, value: Any) -> bool:
        return not (
            (self.low is not None and value < self.low)
            or (self.high is not None and value > self.high)
            or (self.above is not None and value <= self.above)
            or (self.below is not None and value >= self.below)
        )

    def _read_one(self, text: str) -> Any:
        if self.value_type is str:
            if not text:
                raise ValueError('the text is empty')
            if '\0' in text:
                raise ValueError(f'{text!r} holds a NUL, which no path or name may')
            return text
        word = text.strip().lower()
        if self.value_type is bool:
            if word in _TRUE or word in _FALSE:
                return word in _TRUE
        elif word.isascii() and '_' not in word:  # Python reads more as numbers than YAML does
            try:
                return self.value_type(word)
            except ValueError:
                pass
        raise ValueError(f'{text!r} is not {self.type_name}')


def option(
    default: Any,
    help: str,
    *,
    unit: str = '',
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    choices: Sequence[str] = (),
    kept_with_run: bool = False,
    positional: bool = False,
    commas: bool = True,
    needs: str = '',
    instead_of: str = '',
    changes_images: bool = False,
    offloads: bool = False,
) -> Any:
    """Declare one field of an options class.

    Args:
      default: the value where neither a YAML set nor the command line gives one.
      help: one plain sentence for --help and the docs.
      unit: what the number counts ('epochs', 'pixels'), shown in --help.
      low, high: inclusive bounds. above, below: exclusive bounds.
      choices: the legal texts.
      commas: they separate values; without, a text with commas is one value, such as a file's name.
      positional: words of the command line without a flag are values of this option.
      kept_with_run: modes that work on a trained model take the value from its saved run (the
        command line still wins): with another one the model would be another, or not be found.
      needs: another option of training without which this one has no effect: 'fine_tuning' must be
        on or have a value, 'hooks profiler' must have this value, or hold it.
      instead_of: the option that this one takes the place of. Where that one is typed and this
        one only stands in a set, the typed one counts.
      changes_images: training images that are augmented depend on the value, and so do features
        that were computed from them.
      offloads: where the option has a value, other machines prepare the training batches.
    """
    details = {
        'help': help,
        'unit': unit,
        'low': low,
        'high': high,
        'above': above,
        'below': below,
        'choices': tuple(choices),
        'kept_with_run': kept_with_run,
        'positional': positional,
        'commas': commas,
        'needs': needs,
        'instead_of': instead_of,
        'changes_images': changes_images,
        'offloads': offloads,
    }
    return dataclasses.field(default=default, metadata={'option': details})


class Options:
    """Base of every options class: `class X(Options, group='data', home=PROJECT)`.

    group: the heading under which --help lists the fields.
    home: the YAML file whose sets may hold the fields; COMMAND_LINE for fields that are flags only;
      DERIVED for facts that the run finds out itself and keeps with its values.
    modes: the modes that read the fields; () is every mode.
    What a subclass does not say, it inherits.

    An instance is valid: the constructor checks each value and raises ValueError.
    """

    group: ClassVar[str]
    home: ClassVar[str]
    modes: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(
        cls,
        *,
        group: str | None = None,
        home: str | None = None,
        modes: tuple[str, ...] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.group = cls.group if group is None else group
        cls.home = cls.home if home is None else home
        cls.modes = cls.modes if modes is None else modes

    def __post_init__(self) -> None:
        for each in options_of(type(self)):
            try:
                each.check(getattr(self, each.name))
            except ValueError as error:
                raise ValueError(f'{each.name}: {error}') from None


def as_written(value: Any) -> str:
    """Return a value as a person would write it in a set or behind a flag."""
    if value is None or value == ():
        return 'none'
    if isinstance(value, bool):
        return str(value).lower()
    return ','.join(map(str, value)) if isinstance(value, tuple) else str(value)


def options_of(cls: type[Options]) -> list[Option]:
    """Return the options that a class declares, in the order of its fields."""
    hints = get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        value_type, optional, many = _unfold(hints[field.name])
        found.append(
            Option(
                name=field.name,
                value_type=value_type,
                optional=optional,
                many=many,
                default=field.default,
                group=cls.group,
                home=cls.home,
                modes=cls.modes,
                **field.metadata['option'],
            )
        )
    return found


def _unfold(hint: Any) -> tuple[type, bool, bool]:
    """Take apart an annotation like `int | None`: scalar type, may be None, is a tuple of them."""
    optional = get_origin(hint) in (types.UnionType, typing.Union)
    if optional:
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    many = get_origin(hint) is tuple
    if many:
        hint = get_args(hint)[0]
    if hint not in (int, float, bool, str):
        raise TypeError(f'an option cannot be of type {hint}')
    return hint, optional, many
