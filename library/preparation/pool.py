"""Write planned shards on all cores of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain, islice

from library.cores import count_cores
from library.preparation.encoding_options import EncodingOptions
from library.preparation.plan import PlannedShard
from library.preparation.progress import progress
from library.preparation.shard_writer import FinishedShard, write_shard
from library.preparation.workers import Outcome, prepare_all
from library.records.listing import LabelledImage


def write_on_this_machine(
    shards: Sequence[PlannedShard], encoding: EncodingOptions, workers: int | None = None
) -> Iterator[FinishedShard]:
    """Write shard after shard; workers decode, this process writes.

    Args:
      shards: what to write.
      encoding: how the images are stored.
      workers: processes; None is one for each core that may be used.

    Raises:
      ResourceError: a worker died. OSError: the disk is full or may not be written.
    """
    images = chain.from_iterable(shard.images for shard in shards)
    total = sum(len(shard.images) for shard in shards)
    prepared = prepare_all(images, workers or count_cores(), encoding)
    with closing(prepared), progress('converting', total) as advance:

        def of(shard: PlannedShard) -> Iterator[tuple[LabelledImage, Outcome]]:
            for outcome in islice(prepared, len(shard.images)):
                advance(1)
                yield outcome

        for shard in shards:
            yield write_shard(shard, of(shard))
