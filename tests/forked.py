"""Run programs in processes of their own that need not import TensorFlow, which takes seconds.

A server, one for each process of pytest, has imported TensorFlow but never used it, and forks: so
each program starts with an interpreter of its own, and may kill it. How a program starts, what it
imports and what it spawns is tested with real processes (tests/processes.py) instead. Where forking
is not safe, on macOS, these are real processes too.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.processes import ROOT, python, running

# One request a line: the words after `python`, a folder, variables, files for what is said, and the
# seconds after which SIGALRM ends it.
SERVER = """
import json, os, runpy, signal, sys
import tensorflow, tensorflow_hub
import library.records.example, convert_dataset, run

def is_ours(module):
    path = getattr(module, '__file__', None) or ''
    return path.startswith(ROOT + os.sep) and not path.startswith(sys.prefix + os.sep)

ROOT = os.getcwd()
OURS = [name for name, module in sys.modules.items() if is_ours(module)]

def execute(words, folder, variables, out, errors, seconds):
    signal.alarm(seconds)
    # stdin holds the requests that are still to come.
    for number, path in ((0, os.devnull), (1, out), (2, errors)):
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    of_file = words[0] not in ('-c', '-m')
    home = os.path.dirname(os.path.abspath(words[0])) if of_file else folder
    sys.path[:1] = [home, *filter(None, variables.get('PYTHONPATH', '').split(os.pathsep))]
    sys.argv = list(words) if of_file else [words[0], *words[2:]]
    if home != ROOT:
        # Of a copy of the project, which has its own files.
        for name in OURS:
            del sys.modules[name]
    if words[0] == '-c':
        exec(words[1], {'__name__': '__main__'})
    elif words[0] == '-m':
        runpy.run_module(words[1], run_name='__main__', alter_sys=True)
    else:
        runpy.run_path(words[0], run_name='__main__')

for line in sys.stdin:
    child = os.fork()
    if not child:
        execute(*json.loads(line))
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@functools.cache
def _server() -> subprocess.Popen[str]:
    server = subprocess.Popen(
        python('-c', SERVER), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(server.communicate, timeout=60)
    return server


def forked(
    *words: object, cwd: Path = ROOT, seconds: int = 300, merged: bool = False, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run `python WORDS...`, where words begin with a file, -m or -c.

    Returns:
      Its exit code (-9 for SIGKILL, -14 if it took too long) and what it said; merged, all of it is
      in stdout, in the order of its writing.
    """
    given = [str(word) for word in words]
    variables = {**os.environ, **env}
    if sys.platform != 'linux':
        errors = subprocess.STDOUT if merged else subprocess.PIPE
        pipes = {'stdout': subprocess.PIPE, 'stderr': errors}
        with running(*given, cwd=cwd, env=variables, **pipes) as process:
            said = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(given, process.returncode, *said)
    return _ask_server(given, str(cwd), variables, seconds, merged)


def _ask_server(
    words: list[str], folder: str, variables: dict[str, str], seconds: int, merged: bool
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as place:
        texts = [Path(place) / 'out', Path(place) / ('out' if merged else 'errors')]
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        request = [words, folder, variables, *map(str, texts), seconds]
        server.stdin.write(json.dumps(request) + '\n')
        server.stdin.flush()
        status = int(server.stdout.readline())
        out, errors = (text.read_text(errors='surrogateescape') for text in texts)
    return subprocess.CompletedProcess(words, status, out, '' if merged else errors)


def run_forked(code: str, *argv: object) -> tuple[int, str]:
    """Execute `code`, which has its words as `argv` and may set `status`.

    Returns:
      The exit status (1 for an exception, -9 for SIGKILL, -14 for a hang), and what it said.
    """
    program = f'import sys\nargv = sys.argv[1:]\n{code}\nsys.exit(globals().get("status", 0))\n'
    done = forked('-c', program, *argv, merged=True)
    return done.returncode, done.stdout
