"""Suggest the legal name that is nearest to a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' with the nearest known name, or ''."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f'; did you mean {close[0]!r}?' if close else ''


def nearest_or_all(name: str, known: Iterable[str]) -> str:
    """The nearest known name as `suggestion` gives it, or else all of them."""
    known = list(known)
    return suggestion(name, known) or f' (there are {", ".join(known)})'
