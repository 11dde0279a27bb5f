"""End a run early by the evaluations that another process makes."""

from __future__ import annotations

import time

from library.modes.early_stopping import EarlyStopping

# How often they are looked at: in a bucket that takes a while.
LOOK_SECONDS = 5.0


class EarlyEnd:
    """Judges now and then whether a run is to end.

    Attributes:
      rules: by which it does.
    """

    def __init__(self, rules: EarlyStopping):
        """Makes it; the rules have just judged."""
        self.rules = rules
        self._next_look = time.monotonic() + LOOK_SECONDS

    def look(self) -> bool:
        """True once the run is to end; the history is not read at every call."""
        rules = self.rules
        if rules.is_asked and not rules.is_reached and time.monotonic() >= self._next_look:
            rules.judge()
            self._next_look = time.monotonic() + LOOK_SECONDS
        return rules.is_reached
