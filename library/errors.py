"""Define the failures that a person can mend, each with its exit code; every room may raise them.

run.py and convert_dataset.py print such an error as one line. Anything else that is raised is a
bug, and keeps its traceback.
"""

from __future__ import annotations


class ScaffoldError(Exception):
    """A failure that one line explains; `exit_code` is the status of the process."""

    exit_code = 1
    # A strategy runs model_fn through AutoGraph, which would else put its stack into the message.
    ag_pass_through = True


class ConfigError(ScaffoldError):
    """Wrong usage or configuration: a flag, a file, a set, a key, a value, a missing input."""

    exit_code = 2


class DataError(ScaffoldError):
    """Bad input data: images, labels, records, shards."""

    exit_code = 3


class MismatchError(ScaffoldError):
    """A checkpoint, module or export that does not fit the model."""

    exit_code = 4


class ResourceError(ScaffoldError):
    """The surroundings fail: disk, permission, network, a module that cannot be had."""

    exit_code = 5


class NumericalError(ScaffoldError):
    """The loss is no longer a finite number."""

    exit_code = 6


class GateError(ScaffoldError):
    """A model is not as good as somebody asked for."""

    exit_code = 7


class Stopped(ScaffoldError):
    """A signal ended the run in good order."""

    def __init__(self, signal_number: int, message: str):
        super().__init__(message)
        self.exit_code = 128 + signal_number
