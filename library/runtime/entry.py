"""Turn what a program raises into an exit code: a failure is one line, a bug keeps its trace."""

from __future__ import annotations

import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FrameType

from library.errors import DataError, ResourceError, ScaffoldError, Stopped
from library.installation import start_of
from library.runtime.environment import is_verbose

# TensorFlow's errors about files and folders.
_ENVIRONMENT_ERRORS = {
    'AlreadyExistsError',
    'FailedPreconditionError',
    'PermissionDeniedError',
    'ResourceExhaustedError',
}


def run_program(main: Callable[[list[str]], int], argv: Sequence[str] | None = None) -> int:
    """Call main(argv) and turn what it raises into an exit code.

    Args:
      main: returns 0, or raises ScaffoldError for what a person can mend.
      argv: the words after the program's name; None: those that were typed. With --verbose failures
        show their traceback.

    Returns:
      The exit status: main's own, the error's, 5 for the disk, 128 + n for signal n.
    """
    argv = sys.argv[1:] if argv is None else argv
    sys.stderr.reconfigure(errors='backslashreplace')  # type: ignore[union-attr]
    sys.stdout.reconfigure(errors='backslashreplace')  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, _stop)
    try:
        status = main(list(argv))
        # Here rather than at the interpreter's end, where a closed pipe could not be caught.
        sys.stdout.flush()
        return status
    except KeyboardInterrupt as interrupt:
        error: ScaffoldError = Stopped(signal.SIGINT, 'stopped')
        error.__cause__ = interrupt
    except ScaffoldError as known:
        error = known
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); there is nobody left to tell.
        _leave_stdout()
        return 128 + signal.SIGPIPE
    except Exception as unknown:
        known_kind = _known_failure(unknown)
        if known_kind is None:
            raise
        error = known_kind
        error.__cause__ = unknown
    if '--verbose' in argv or is_verbose():
        traceback.print_exception(error)
    print('error:', ' '.join(str(error).splitlines()), file=sys.stderr)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_stdout()
    return error.exit_code


def _leave_stdout() -> None:
    """Spare the interpreter's end the pipe that nobody reads: its exit code would be 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise Stopped(signal_number, 'stopped')


def _stopped_within(error: BaseException) -> Stopped | None:
    """Find the signal that led to an error: others, such as `inspect`, raise theirs on the way."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, Stopped):
        seen = seen.__cause__ or seen.__context__
    return seen


def _known_failure(error: Exception) -> ScaffoldError | None:
    """Recognize a failure of disk, permission or records, whoever raised it; None for any other."""
    stopped = _stopped_within(error)
    if stopped is not None:
        return stopped
    if isinstance(error, OSError):
        name = os.fsdecode(error.filename) + ': ' if error.filename else ''
        if isinstance(error, (FileExistsError, NotADirectoryError)):
            return ResourceError(f'{name}a file stands where a folder belongs')
        return ResourceError(f'{name}{(error.strerror or str(error)).lower()}')
    # Asked by name, so that this module works where TensorFlow was never imported.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    text = str(error)
    if kinds & _ENVIRONMENT_ERRORS or 'No space left' in text:
        return ResourceError(text.splitlines()[0] if text else type(error).__name__)
    if 'DataLossError' in kinds:
        # TensorFlow does not say in which file.
        verify = start_of('convert_dataset.py')
        return DataError(f'a shard is damaged; {verify} --verify DATA_DIR shows which')
    # Raised in a Python function of an input pipeline, and wrapped by TensorFlow.
    inside = re.search(r'DataError: (.*)', text)
    if inside and 'OpError' in kinds:
        return DataError(inside[1])
    return None
