"""End a run early, judging by the evaluations of another process."""

from __future__ import annotations

import time

from library.modes.early_stopping import EarlyStopping

# Seconds between two looks: reading from a bucket takes a while.
LOOK_SECONDS = 5.0


class EarlyEnd:
    """Check from time to time whether a run should end.

    Attributes:
      rules: by which it does.
    """

    def __init__(self, rules: EarlyStopping):
        """Start counting; the rules have just been checked."""
        self.rules = rules
        self._next_look = time.monotonic() + LOOK_SECONDS

    def look(self) -> bool:
        """Return True once the run should end; the history is not read at every call."""
        rules = self.rules
        if rules.is_asked and not rules.is_reached and time.monotonic() >= self._next_look:
            rules.judge()
            self._next_look = time.monotonic() + LOOK_SECONDS
        return rules.is_reached
