"""Name the tasks of a cluster, of which this process is one; imports no TensorFlow.

A cluster has one chief, any number of workers, perhaps parameter servers, and perhaps an evaluator,
which stands beside it: nobody waits for it. Where TF_CONFIG names no chief, worker 0 is the chief,
and an older system's master is one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from extras.cluster.tf_config import CHIEF, EVALUATOR, PS, TF_CONFIG, WORKER, parse, wrong


@dataclass(frozen=True)
class Task:
    """One process of a cluster.

    Attributes:
      job: chief, worker, ps or evaluator.
      index: from 0, among the tasks of the job.
      address: host:port; '' for an evaluator, whom nobody calls.
    """

    job: str
    index: int
    address: str

    @property
    def name(self) -> str:
        """Return a short name for people: 'chief', 'worker 1'."""
        return self.job if self.job in (CHIEF, EVALUATOR) else f'{self.job} {self.index}'

    def __str__(self) -> str:
        return f'{self.name} ({self.address})' if self.address else self.name


@dataclass(frozen=True)
class Cluster:
    """The tasks that train one model, and which of them this process is.

    Attributes:
      tasks: chief, workers, parameter servers; without the evaluator.
      own: this process.
    """

    tasks: tuple[Task, ...]
    own: Task

    @property
    def trainers(self) -> tuple[Task, ...]:
        """Return chief and workers; their order numbers their shares of the data."""
        return tuple(task for task in self.tasks if task.job in (CHIEF, WORKER))

    @property
    def parameter_servers(self) -> tuple[Task, ...]:
        """Return the tasks that hold the variables; none in a cluster that sums gradients up."""
        return tuple(task for task in self.tasks if task.job == PS)

    @property
    def chief(self) -> Task:
        """Return the task that writes checkpoints."""
        return self.tasks[0]

    @property
    def peers(self) -> tuple[Task, ...]:
        """Return all tasks but this one."""
        return tuple(task for task in self.tasks if task != self.own)

    @property
    def is_chief(self) -> bool:
        """Return True if this process writes checkpoints."""
        return self.own == self.chief

    @property
    def number(self) -> int:
        """Return the number of this process among the trainers, from 0."""
        return self.trainers.index(self.own)

    @property
    def jobs(self) -> dict[str, list[str]]:
        """Return the addresses of each job's tasks."""
        jobs: dict[str, list[str]] = {}
        for task in self.tasks:
            jobs.setdefault(task.job, []).append(task.address)
        return jobs

    def as_tf_config(self) -> str:
        """Write TF_CONFIG as TensorFlow itself reads it, with a chief."""
        own = {'type': self.own.job, 'index': self.own.index}
        return json.dumps({'cluster': self.jobs, 'task': own})


def read_cluster(environ: Mapping[str, str]) -> Cluster | None:
    """Read the cluster in TF_CONFIG; None where there is none, or this process trains alone.

    Args:
      environ: the process's environment.

    Raises:
      ConfigError: TF_CONFIG describes no cluster, or one that this process is no part of.
    """
    parsed = parse(environ[TF_CONFIG]) if TF_CONFIG in environ else None
    if parsed is None:
        return None
    jobs, (job, index) = parsed
    trainers = [*jobs[CHIEF], *jobs[WORKER]]
    # The first of all trainers is the chief, so a worker's number follows from its place there.
    tasks = (
        Task(CHIEF, 0, trainers[0]),
        *(Task(WORKER, number, address) for number, address in enumerate(trainers[1:])),
        *(Task(PS, number, address) for number, address in enumerate(jobs[PS])),
    )
    if job == EVALUATOR:
        if len(tasks) == 1:
            raise wrong(
                'an evaluator beside one process that trains: that one evaluates too; '
                'leave the evaluator out'
            )
        return Cluster(tasks, Task(EVALUATOR, 0, ''.join(jobs[EVALUATOR])))
    address = jobs[job][index]
    own = next(each for each in tasks if each.address == address)
    return Cluster(tasks, own) if len(tasks) > 1 else None
