"""Show how far training is where several tasks count its steps."""

from __future__ import annotations

from library.hooks.progress import ProgressHook


class SharedProgressHook(ProgressHook):
    """Shows the speed of all tasks together, with all that they wait for."""

    def _steps_per_second(self, steps: int, seconds: float) -> float:
        return steps / seconds
