"""Write planned shards on all cores of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

import tqdm

from library.cores import count_cores
from library.preparation.encoding_options import EncodingOptions
from library.preparation.plan import PlannedShard
from library.preparation.shard_writer import FinishedShard, write_shard
from library.preparation.workers import prepare_all


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
    outcomes = prepare_all(images, workers or count_cores(), encoding)
    # disable=None: no bar where nobody looks (a log file).
    bar = tqdm.tqdm(outcomes, total=total, unit='image', desc='converting', disable=None)
    one_by_one = iter(bar)
    try:
        for shard in shards:
            yield write_shard(shard, islice(one_by_one, len(shard.images)))
    finally:
        bar.close()
        outcomes.close()
