"""Show the progress of training where several tasks count its steps."""

from __future__ import annotations

from library.hooks.progress import ProgressHook


class SharedProgressHook(ProgressHook):
    """Show the speed of all tasks together, including all waiting time."""

    def _steps_per_second(self, steps: int, seconds: float) -> float:
        return steps / seconds
