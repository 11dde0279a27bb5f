"""One task of a cluster in the test's own process; the others are not there."""

from __future__ import annotations

import contextlib

from extras.cluster.local_cluster import free_addresses
from extras.cluster.tasks import Cluster, Task

# A small run: 24 images in batches of 6, so 4 steps an epoch; 2 epochs.
SMALL = {'model': 'simple', 'image_size': 16}
TOTAL = 8


def become(monkeypatch, job, served=False):
    """Lets this process be a task of such a cluster, and gives that; no watchdog ends it."""
    cluster = cluster_as(job, served)
    monkeypatch.setenv('TF_CONFIG', cluster.as_tf_config())
    # By its name, as unit tests need this file, and no TensorFlow.
    watchdog = 'extras.cluster.joint_training.Watchdog'
    monkeypatch.setattr(watchdog, lambda *args, **named: contextlib.nullcontext())
    return cluster


def cluster_as(job, served=False):
    """A chief and a worker, and perhaps a parameter server, on closed ports, seen by one task."""
    names = [('chief', 0), ('worker', 0), *([('ps', 0)] if served else [])]
    addresses = free_addresses(len(names))
    tasks = tuple(Task(*name, address) for name, address in zip(names, addresses, strict=True))
    own = next((task for task in tasks if task.job == job), Task(job, 0, ''))
    return Cluster(tasks, own)


def keep_checkpoint(folder, step):
    """Lets a checkpoint be the newest one in a folder, as far as its name goes."""
    (folder / f'model.ckpt-{step}.index').touch()
    (folder / 'checkpoint').write_text(f'model_checkpoint_path: "model.ckpt-{step}"\n')
