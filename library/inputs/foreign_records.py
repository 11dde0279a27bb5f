"""Say how the records of another program are read, and what about them may spoil a run."""

from __future__ import annotations

from collections.abc import Iterator

from library.config.hparams import HParams
from library.records.example_keys import NUMBER
from library.records.external import ExternalRecords


def describe(
    records: ExternalRecords, named: bool, params: HParams, training: bool
) -> Iterator[str]:
    """Yield a line for each thing that a person should know.

    Args:
      records: as they were read.
      named: whether the person named the keys.
      params: the run's HParams.
      training: whether the run trains on them.
    """
    place, keys = records.folder, records.keys
    if not keys.are_usual and not named:
        yield f'{place}: images in {keys.image!r}, classes in {keys.label!r}'
    if keys.kind == NUMBER and not records.counts.get(0):
        least = min(records.counts)
        yield (
            f'{place}: labels start at {least}, so class {"0" if least == 1 else "0 and others"} '
            f'(a background class, as Inception has) has no images; the numbers are kept'
        )
    buffer = params.shuffle_buffer
    only = records.only_class_at_first(buffer, params.interleave_files)
    if training and only is not None:
        yield (
            f'warning: {place}: records lie sorted by class, and the first {buffer} to be shuffled '
            f'are all {only!r}; raise --shuffle_buffer to {records.examples}, or mix the records'
        )
