"""Find the options in which runs differ, and their values."""

from __future__ import annotations

from collections.abc import Sequence

from extras.report_and_compare.comparison.results import RunResult
from library.config.fields import options_of
from library.exporters.options import BestOptions
from library.modes.options import ExportBestOptions, ExportFormatOptions, ExportOptions
from library.runs.metadata import RunMetadata
from library.runtime.options import CheckpointOptions, WatchOptions

# A value that no run gave.
ABSENT = '-'
# Where a run writes, how it is watched, and its ids and digests: none changes the model.
_CLASSES = (
    BestOptions,
    CheckpointOptions,
    ExportBestOptions,
    ExportFormatOptions,
    ExportOptions,
    RunMetadata,
    WatchOptions,
)
_NAMES = {'model_dir', 'module_cache_dir', 'time_stamped', 'verbose'}
# The one thing that a run found out about its data.
_SHOWN = {'train_examples'}


def differing(runs: Sequence[RunResult]) -> dict[str, list[str]]:
    """Map the options that tell the runs apart to the value of each run, in their order.

    Runs whose file is damaged have no values, and make no difference.
    """
    names = dict.fromkeys(name for run in runs for name in run.values)
    left_out = {each.name for cls in _CLASSES for each in options_of(cls)} | _NAMES
    return {
        name: [run.values[name].shown if name in run.values else ABSENT for run in runs]
        for name in names
        if (name not in left_out or name in _SHOWN)
        and _differs(name, [run for run in runs if run.values])
    }


def _differs(name: str, runs: Sequence[RunResult]) -> bool:
    """Return True if two runs have other values, or if only one has and sets the option.

    Options that only one optimizer or model has count as differences only if they were set.
    """
    kept = [run.values[name] for run in runs if name in run.values]
    is_set = any(value.origin != 'default' for value in kept)
    return len({value.shown for value in kept}) > 1 or (len(kept) < len(runs) and is_set)
