"""The tasks of a cluster as processes, which a test can kill one by one."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from extras.cluster.local_cluster import free_addresses
from tests.processes import python

ROOT = Path(__file__).resolve().parents[3]
# Far more than any of these clusters takes: what waits for ever must fail, and be seen.
LIMIT = 400


def run_flags(data_dir: Path, folder: Path, **values: object) -> list[str]:
    """The flags of a small run in FOLDER/run and FOLDER/best; values come to them, or replace."""
    given = {
        'data_dir': data_dir,
        'model': 'simple',
        'image_size': 16,
        'model_dir': folder / 'run',
        'best_model_dir': folder / 'best',
        'train_batch_size': 6,
        'epochs_between_evals': 1,
        'peer_timeout': 3,
        **values,
    }
    return [f'--{name}={value}' for name, value in given.items()]


def newest_step(folder: Path) -> int:
    """Of the checkpoints in FOLDER/run; 0 if there are none."""
    steps = [int(path.stem.rpartition('-')[2]) for path in folder.glob('run/model.ckpt-*.index')]
    return max(steps, default=0)


class Tasks:
    """Starts `run.py train`, or another program, in each task; texts go to FOLDER/TASK.txt."""

    def __init__(
        self,
        folder: Path,
        jobs: dict[str, int],
        flags: list[str],
        program: Sequence[object] = (ROOT / 'run.py',),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.flags, self.program = folder, flags, program
        addresses = free_addresses(sum(jobs.values()))
        self.cluster = {job: [addresses.pop() for _ in range(n)] for job, n in jobs.items()}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ended: dict[str, float] = {}

    def start(self, *tasks: str) -> Tasks:
        """Starts tasks such as 'chief' or 'worker 1'; none is all of the cluster."""
        for name in tasks or [
            f'{job} {n}' for job, a in self.cluster.items() for n in range(len(a))
        ]:
            job, _, index = name.partition(' ')
            task = {'type': job, 'index': int(index or 0)}
            key = f'{job} {index or 0}'
            with open(self.folder / f'{key}.txt', 'ab') as text:
                self.processes[key] = subprocess.Popen(
                    python('-u', *self.program, 'train', *self.flags),
                    env={
                        **os.environ,
                        'TF_CONFIG': json.dumps({'cluster': self.cluster, 'task': task}),
                    },
                    stdout=text,
                    stderr=subprocess.STDOUT,
                    cwd=ROOT,
                )
            self.ended.pop(key, None)
        return self

    def text(self, task: str) -> str:
        """All that a task has printed."""
        return (self.folder / f'{task}.txt').read_text()

    def wait_for(self, is_there, what: str) -> None:
        """Returns once the condition holds; fails with all texts if that takes too long."""
        last = time.monotonic() + LIMIT
        while not is_there():
            self._note_ended()
            if time.monotonic() > last or len(self.ended) == len(self.processes):
                self.kill(*self.processes)
                raise AssertionError(f'{what} did not come:\n{self.texts()}')
            time.sleep(0.1)

    def wait(self) -> dict[str, int]:
        """The exit codes, once all have ended; what has not by then is killed, and has -9."""
        last = time.monotonic() + LIMIT
        try:
            while len(self.ended) < len(self.processes) and time.monotonic() < last:
                self._note_ended()
                time.sleep(0.1)
        finally:
            self.kill(*self.processes)
        return {key: process.wait(60) for key, process in self.processes.items()}

    def wait_for_end_of(self, *tasks: str) -> list[int]:
        """The exit codes of tasks, once they have ended; all others are killed."""
        try:
            self.wait_for(lambda: {*tasks} <= {*self.ended}, f'the end of {tasks}')
        finally:
            self.kill(*self.processes)
        return [self.processes[task].wait() for task in tasks]

    def kill(self, *tasks: str) -> None:
        """Kills tasks, as a machine that loses its power would."""
        for task in tasks:
            if self.processes[task].poll() is None:
                self.processes[task].kill()
                self.processes[task].wait(60)

    def texts(self) -> str:
        """What all tasks have printed."""
        return '\n'.join(f'[{key}]\n{self.text(key)}' for key in self.processes)

    def _note_ended(self) -> None:
        for key, process in self.processes.items():
            if process.poll() is not None:
                self.ended.setdefault(key, time.monotonic())
