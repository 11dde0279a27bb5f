"""The program in processes of its own, forked from one that has TensorFlow: many, and soon."""

from __future__ import annotations

import atexit
import functools
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

SERVER = """
import json, os, signal, sys
import convert_dataset, tensorflow
import library.records.example

for line in sys.stdin:
    code, argv, log = json.loads(line)
    child = os.fork()
    if not child:
        signal.alarm(100)
        said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor in (1, 2):
            os.dup2(said, descriptor)
        names = {'__name__': 'forked', 'argv': argv}
        exec(code, names)
        sys.exit(names.get('status', 0))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@functools.cache
def _server() -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, '-c', SERVER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def end():
        server.communicate()

    atexit.register(end)
    return server


def run_forked(folder: Path, code: str, *argv: object) -> tuple[int, str]:
    """Executes `code` with the names argv and, if it sets that, status.

    Returns:
      The exit status (1 for an exception, -9 for SIGKILL, -14 for a hang), and what it said.
    """
    log, server = folder / 'log', _server()
    server.stdin.write(json.dumps([code, [str(word) for word in argv], str(log)]) + '\n')
    server.stdin.flush()
    return int(server.stdout.readline()), log.read_text()
