"""Declare the options of reports and comparisons."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import COMMAND_LINE, PROJECT, Options, option


@dataclass(frozen=True)
class ReportOptions(Options, group='evaluation', home=PROJECT, modes=('evaluate',)):
    """Whether `run.py evaluate` writes a page."""

    report: bool = option(True, 'Write a page about the run too: report.html.')


@dataclass(frozen=True)
class ComparisonOptions(Options, group='comparison', home=COMMAND_LINE, modes=('compare',)):
    """What `run.py compare` puts side by side."""

    runs: tuple[str, ...] = option(
        (), 'Folders of runs, or folders with runs below them.', positional=True
    )
    sort_by: str = option('accuracy', 'Metric that the runs are sorted by, the best first.')
