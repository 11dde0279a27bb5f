"""Write prepared images to a shard under a temporary name, with a note of what it holds.

The note makes a conversion resumable: a shard with its note is done, whoever wrote it, the pool
of this machine or a worker of Beam.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass

from library import files
from library.preparation.formats import RejectedImage
from library.preparation.output import Target
from library.preparation.plan import PlannedShard
from library.preparation.workers import Outcome
from library.records.listing import LabelledImage
from library.records.manifest import Rejected, Shard
from library.records.shards import PARTIAL

NOTE = f'{PARTIAL}.json'


@dataclass(frozen=True)
class FinishedShard:
    """A written shard, and the images that it lacks."""

    shard: Shard
    rejected: tuple[Rejected, ...]


def write_shard(
    planned: PlannedShard, outcomes: Iterable[tuple[LabelledImage, Outcome]]
) -> FinishedShard:
    """Write DIR/NAME.partial, and then its note.

    Args:
      planned: the shard.
      outcomes: its images with what became of them, in their order.

    Raises:
      OSError, tf.errors.OpError: the disk is full; what is unfinished is removed.
    """
    # TensorFlow comes late: spawned workers import this room too.
    import tensorflow as tf

    from library.records.example import encode_example

    path, note = (planned.target.path(planned.name + end) for end in (PARTIAL, NOTE))
    rejected, reencoded, examples = [], 0, 0
    writer = tf.io.TFRecordWriter(path)
    try:
        for image, outcome in outcomes:
            if isinstance(outcome, RejectedImage):
                rejected.append(Rejected(image.filename, str(outcome)))
                continue
            writer.write(
                encode_example(
                    outcome.jpeg,
                    outcome.height,
                    outcome.width,
                    image.label,
                    planned.class_names[image.label],
                    image.filename,
                )
            )
            examples += 1
            reencoded += outcome.reencoded
        writer.close()
        if not files.is_remote(path):
            files.sync(path)
        length, sha256 = files.digest(path)
        shard = Shard(planned.name, examples, length, sha256, planned.inputs, reencoded)
        finished = FinishedShard(shard, tuple(rejected))
        text = json.dumps(dataclasses.asdict(finished), indent=1) + '\n'
        files.write_atomically(note, text.encode())
    except BaseException:
        # On a full disk closing fails too, and would hide the first failure.
        with contextlib.suppress(Exception):
            writer.close()
        for each in (note + PARTIAL, note, path):
            with contextlib.suppress(Exception):
                files.remove(each)
        raise
    return finished


def read_note(target: Target, name: str) -> FinishedShard | None:
    """Read what an earlier run finished but did not publish; None if it is no note."""
    path = target.path(name + NOTE)
    if not files.exists(path):
        return None
    try:
        content = json.loads(files.read_bytes(path))
        rejected = tuple(Rejected(**each) for each in content['rejected'])
        return FinishedShard(Shard(**content['shard']), rejected)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
