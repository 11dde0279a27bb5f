"""What main raises becomes one line and an exit code; a bug keeps its trace."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from library.errors import (
    ConfigError,
    DataError,
    GateError,
    MismatchError,
    NumericalError,
    ResourceError,
    ScaffoldError,
    Stopped,
)
from library.runtime.entry import run_program
from tests.processes import running

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _own_signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def program_that_raises(error):
    def main(argv):
        raise error

    return main


def test_a_signal_that_became_an_error_of_the_code_that_it_hit_is_a_signal(capsys):
    def main(argv):
        try:
            raise Stopped(signal.SIGTERM, 'stopped')
        except Stopped:
            raise TypeError('no such source') from None

    assert run_program(main, []) == 143
    assert capsys.readouterr().err == 'error: stopped\n'


@pytest.mark.parametrize('status', [0, 7])
def test_the_status_of_main_is_the_exit_code(status, capsys):
    assert run_program(lambda argv: status, []) == status
    assert capsys.readouterr() == ('', '')


def test_main_gets_the_words():
    words = []
    run_program(lambda argv: words.extend(argv) or 0, ('a', 'b'))
    assert words == ['a', 'b']


@pytest.mark.parametrize(
    ('kind', 'status'),
    [
        (ScaffoldError, 1),
        (ConfigError, 2),
        (DataError, 3),
        (MismatchError, 4),
        (ResourceError, 5),
        (NumericalError, 6),
        (GateError, 7),
    ],
)
def test_a_failure_that_a_person_can_mend_is_one_line(kind, status, capsys):
    assert run_program(program_that_raises(kind('it went wrong')), []) == status
    assert capsys.readouterr() == ('', 'error: it went wrong\n')


@pytest.mark.parametrize('text', ['one\ntwo', 'one\r\ntwo', 'one\u2028two'])
def test_a_message_of_several_lines_is_printed_as_one(text, capsys):
    run_program(program_that_raises(ConfigError(text)), [])
    assert capsys.readouterr().err == 'error: one two\n'


def test_bytes_of_a_name_that_is_no_utf_8_can_be_printed(capsys):
    assert run_program(program_that_raises(ConfigError('caf\udce9.yaml: no such file')), []) == 2
    assert capsys.readouterr().err == 'error: caf\\udce9.yaml: no such file\n'


def test_verbose_adds_the_traceback_before_the_line(capsys):
    run_program(program_that_raises(ConfigError('wrong')), ['--verbose'])
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == 'Traceback (most recent call last):'
    assert lines[-2:] == ['library.errors.ConfigError: wrong', 'error: wrong']


def test_verbose_shows_where_a_failure_of_the_disk_came_from(capsys):
    run_program(program_that_raises(OSError(28, 'No space left on device')), ['--verbose'])
    text = capsys.readouterr().err
    assert 'in main\n    raise error\nOSError: [Errno 28] No space left on device\n' in text
    assert text.endswith('\nerror: no space left on device\n')


def test_an_interrupt_from_the_keyboard_is_130(capsys):
    assert run_program(program_that_raises(KeyboardInterrupt()), []) == 130
    assert capsys.readouterr().err == 'error: stopped\n'


def test_sigterm_is_143(capsys):
    def main(argv):
        signal.raise_signal(signal.SIGTERM)
        return 0

    assert run_program(main, []) == 143
    assert capsys.readouterr().err == 'error: stopped\n'


def test_a_run_that_stopped_in_good_order_says_how(capsys):
    stopped = Stopped(signal.SIGTERM, 'stopped at step 5')
    assert run_program(program_that_raises(stopped), []) == 143
    assert capsys.readouterr().err == 'error: stopped at step 5\n'


@pytest.mark.parametrize(
    ('error', 'line'),
    [
        (PermissionError(13, 'Permission denied', '/closed/x'), '/closed/x: permission denied'),
        (OSError(28, 'No space left on device', b'out/\xe9'), 'out/\\udce9: no space left'),
        (OSError(24, 'Too many open files'), 'too many open files'),
        (OSError('the connection broke'), 'the connection broke'),
    ],
)
def test_a_failure_of_the_disk_is_5_and_names_the_path(error, line, capsys):
    assert run_program(program_that_raises(error), []) == 5
    assert capsys.readouterr().err.startswith(f'error: {line}')


class PermissionDeniedError(Exception):
    """Named like TensorFlow's own."""


class ResourceExhaustedError(Exception):
    """Named like TensorFlow's own."""


class DerivedError(PermissionDeniedError):
    """A kind of TensorFlow's own."""


@pytest.mark.parametrize(
    'error',
    [
        PermissionDeniedError('/x; Permission denied\n\t [[node save]]'),
        ResourceExhaustedError('/x; Permission denied'),
        DerivedError('/x; Permission denied'),
    ],
)
def test_tensorflows_failures_of_the_disk_are_5_and_one_line(error, capsys):
    assert run_program(program_that_raises(error), []) == 5
    assert capsys.readouterr().err == 'error: /x; Permission denied\n'


def test_a_full_disk_is_5_whoever_says_so(capsys):
    error = RuntimeError('out/model.ckpt; No space left on device\nmore')
    assert run_program(program_that_raises(error), []) == 5
    assert capsys.readouterr().err == 'error: out/model.ckpt; No space left on device\n'


def test_a_failure_without_a_text_is_told_by_its_name(capsys):
    assert run_program(program_that_raises(PermissionDeniedError()), []) == 5
    assert capsys.readouterr().err == 'error: PermissionDeniedError\n'


@pytest.mark.parametrize('error', [ZeroDivisionError('a bug'), ValueError('a bug'), KeyError('k')])
def test_a_bug_keeps_its_trace(error, capsys):
    with pytest.raises(type(error)) as caught:
        run_program(program_that_raises(error), [])
    assert caught.value is error
    assert capsys.readouterr().err == ''


@pytest.mark.process
@pytest.mark.parametrize('text', ['x', 'x' * 5000])
def test_a_reader_that_has_gone_is_141_and_no_line(text):
    # With little output the pipe is only written to when the program ends.
    reader, writer = os.pipe()
    os.close(reader)
    code = (
        'import sys; from library.runtime.entry import run_program;'
        f'sys.exit(run_program(lambda argv: print({text!r}) or 0, []))'
    )
    try:
        done = subprocess.run(
            [sys.executable, '-c', code],
            stdout=writer,
            stderr=subprocess.PIPE,
            env={**os.environ, 'PYTHONUNBUFFERED': ''},
            cwd=ROOT,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b'')


@pytest.mark.process
def test_sigterm_ends_a_waiting_program_with_one_line():
    code = (
        'import sys, time; from library.runtime.entry import run_program;'
        'sys.exit(run_program(lambda argv: print("ready", flush=True) or time.sleep(60), []))'
    )
    with running('-c', code, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == 'ready\n'
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20)[1] == 'error: stopped\n'
    assert process.returncode == 143
