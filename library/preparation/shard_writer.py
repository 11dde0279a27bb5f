"""Write prepared images to a shard under a temporary name, with a note of what it holds.

The note makes a conversion resumable: a shard with its note is done, whoever wrote it, the pool
of this machine or a worker of Beam.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from library import files
from library.preparation.formats import RejectedImage
from library.preparation.output import Target
from library.preparation.plan import PlannedShard
from library.preparation.workers import Outcome
from library.records.framing import frame
from library.records.listing import LabelledImage
from library.records.manifest import Changed, Rejected, Shard
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
    path, note = (planned.target.path(planned.name + end) for end in (PARTIAL, NOTE))
    records = _Records(planned)
    try:
        files.write(path, records.framed(outcomes))
        finished = records.finished()
        text = json.dumps(dataclasses.asdict(finished), indent=1) + '\n'
        # Whatever a power loss leaves of a note and its shard is compared, and written again.
        files.write_atomically(note, text.encode(), durable=False)
    except BaseException:
        for each in (note + PARTIAL, note, path):
            with contextlib.suppress(Exception):
                files.remove(each)
        raise
    return finished


class _Records:
    """The records of a shard, counted and hashed on their way to the disk."""

    def __init__(self, planned: PlannedShard):
        self._planned = planned
        self._rejected: list[Rejected] = []
        self._examples = self._bytes = self._reencoded = 0
        self._changes: list[Changed] = []
        self._sha256 = hashlib.sha256()

    def framed(self, outcomes: Iterable[tuple[LabelledImage, Outcome]]) -> Iterator[bytes]:
        """Yield what goes into the file, a record at a time."""
        # Looked up at each call: tests put another writer in its place.
        from library.records.example import encode_example

        for image, outcome in outcomes:
            if isinstance(outcome, RejectedImage):
                self._rejected.append(Rejected(image.filename, str(outcome)))
                continue
            name = self._planned.class_names[image.label]
            size = (outcome.height, outcome.width)
            record = frame(encode_example(outcome.jpeg, *size, image.label, name, image.filename))
            self._examples += 1
            self._reencoded += outcome.reencoded
            for change in outcome.changes:
                self._changes.append(Changed(change, 1, (image.filename,)))
            self._bytes += len(record)
            self._sha256.update(record)
            yield record

    def finished(self) -> FinishedShard:
        """Tell what was written, once all of it was."""
        shard = Shard(
            self._planned.name,
            self._examples,
            self._bytes,
            self._sha256.hexdigest(),
            self._planned.inputs,
            self._reencoded,
            Changed.together(self._changes),
        )
        return FinishedShard(shard, tuple(self._rejected))


def read_note(target: Target, name: str) -> FinishedShard | None:
    """Read what an earlier run finished but did not publish; None if it is no note."""
    path = target.path(name + NOTE)
    if not files.exists(path):
        return None
    try:
        content = json.loads(files.read_bytes(path))
        rejected = tuple(Rejected(**each) for each in content['rejected'])
        return FinishedShard(Shard.from_json(content['shard']), rejected)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
