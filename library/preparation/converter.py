"""Convert a listing of images to shards and manifests: all, or nothing under a final name."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from library import files
from library.preparation.conversion_checks import check_free, check_manifests
from library.preparation.digests import content_digests
from library.preparation.duplicates import (
    Group,
    find_duplicates,
    resolve_duplicates,
    shared_with_neighbours,
    write_duplicates,
)
from library.preparation.encoding_options import EncodingOptions
from library.preparation.groups import find_series, splits_of_groups
from library.preparation.image_list import stored_images, write_images
from library.preparation.output import Output, Target, only_conversion
from library.preparation.pictures.survey import survey
from library.preparation.plan import PlannedShard, plan_shards
from library.preparation.publishing import finished_before, publish, remove_unfinished
from library.preparation.shard_writer import FinishedShard
from library.preparation.split_assignment import assign_splits, earlier_split_by
from library.records.listing import LabelledImage, Listing, check_listing, usual_order
from library.records.manifest import Changed, Manifest

# Planned shards to finished ones, in order: on this machine, or on Beam.
WriteShards = Callable[[Sequence[PlannedShard], EncodingOptions], Iterable[FinishedShard]]


@dataclass(frozen=True)
class Conversion:
    """What a conversion did.

    Attributes:
      manifests: split to manifest, as written.
      kept: how many shards of an earlier run were still right. shards: of how many.
      duplicates: pictures that are there more than once.
      shared: folder beside this one to how many of these pictures it holds too.
      removed: splits of an earlier conversion that are no more.
      groups: group to the splits that its images are in. series: what looks like a group of images
        in two splits, where nobody grouped them.
    """

    manifests: dict[str, Manifest]
    kept: int
    shards: int
    duplicates: list[Group]
    shared: dict[str, int]
    removed: list[str]
    groups: dict[str, set[str]]
    series: list[str]

    @property
    def changes(self) -> tuple[Changed, ...]:
        """Return what was altered in images of any split, by its name."""
        return Changed.together(e for each in self.manifests.values() for e in each.changes)


def convert(
    listing: Listing,
    output: Output,
    encoding: EncodingOptions,
    write_shards: WriteShards,
    *,
    num_shards: int | None = None,
    random_seed: int = 0,
    max_bad_fraction: float = 0.1,
    fractions: Mapping[str, float] | None = None,
    split_by: str | None = None,
    duplicates: str | None = None,
    group_by: str | None = None,
    tell: Callable[[str], None] = print,
) -> Conversion:
    """Write shards and manifests; the same bytes for the same images, seed and options.

    Args:
      listing: the images, from a source.
      output: where to. Files of an earlier conversion are replaced at the very end.
      encoding: how images are stored; levels that are 'auto' are measured.
      write_shards: who decodes and writes.
      num_shards: of each split; None plans shards of about 100 MB, at least two.
      random_seed: of the order of the records, and of the split assignment.
      max_bad_fraction: more bad images than this fraction end in DataError.
      fractions, split_by, group_by: as for `assign_splits`.
      duplicates: as for `resolve_duplicates`.
      tell: takes lines for a person before the work begins.

    Raises:
      ConfigError: somebody else's file stands where a manifest goes, or options do not fit.
      DataError: too many bad images, or none good in a split or class; the report is kept,
        nothing else is written.
      ResourceError: a worker died, or another conversion writes there. OSError: the disk is full
        or may not be written. What was finished then is kept for the next run.
    """
    listing = dataclasses.replace(
        listing, images=tuple(sorted(listing.images, key=lambda image: image.filename))
    )
    check_listing(listing)
    digests = content_digests(listing.images)
    encoding = survey(listing.images, digests, encoding, tell)
    split_by = split_by or earlier_split_by(output, fractions or {})
    images = assign_splits(
        listing, digests, output, fractions, split_by, seed=random_seed, group_by=group_by
    )
    groups = find_duplicates(images, digests, encoding)
    members = _members(images, output)
    for target in members:
        check_free(target, output)
    options = _options_kept(encoding, random_seed, fractions, split_by, group_by)
    with only_conversion(output):
        write_duplicates(output, groups, listing.class_names)
        images = resolve_duplicates(images, groups, duplicates, listed_in=output.duplicates)
        plan = functools.partial(
            plan_shards, encoding=encoding, num_shards=num_shards, seed=random_seed
        )
        plans = {
            target: plan(target, *_picked(places, images, digests), listing.class_names)
            for target, places in members.items()
        }
        finished, kept = _write_missing(plans, encoding, write_shards)
        manifests = {
            target: _manifest(listing, output, target, plans, finished[target], options)
            for target in plans
        }
        check_manifests(manifests, images, max_bad_fraction, listing.remarks)
        for target, shards in plans.items():
            write_images(target.images, shards, manifests[target].rejected)
        removed = publish(output, manifests)
    return Conversion(
        manifests={target.name: manifest for target, manifest in manifests.items()},
        kept=kept,
        shards=sum(map(len, plans.values())),
        duplicates=groups,
        shared=_shared(output, digests),
        removed=removed,
        groups=splits_of_groups(images),
        series=[] if group_by else find_series(images),
    )


def _options_kept(
    encoding: EncodingOptions,
    random_seed: int,
    fractions: Mapping[str, float] | None,
    split_by: str,
    group_by: str | None,
) -> dict[str, Any]:
    """Return the options that each manifest keeps."""
    options: dict[str, Any] = {'max_edge': encoding.max_edge, 'quality': encoding.quality}
    options['pictures'] = encoding.pictures.to_json()
    options['random_seed'] = random_seed
    if fractions is not None:
        options |= {'splits': dict(fractions), 'split_by': split_by}
        if group_by is not None:
            options['group_by'] = group_by
    return options


def _members(images: Sequence[LabelledImage], output: Output) -> dict[Target, list[int]]:
    """Return the indices of each split's images, splits in their usual order."""
    names = usual_order({image.split for image in images})
    members: dict[str, list[int]] = {name: [] for name in names}
    for place, image in enumerate(images):
        members[image.split].append(place)
    return {output.target(name): places for name, places in members.items()}


def _picked(
    places: Sequence[int], images: Sequence[LabelledImage], digests: Sequence[bytes]
) -> tuple[list[LabelledImage], list[bytes]]:
    return [images[place] for place in places], [digests[place] for place in places]


def _shared(output: Output, digests: Sequence[bytes]) -> dict[str, int]:
    """Find pictures that neighbours of a split that was converted alone hold too."""
    alone = output.name is not None
    return shared_with_neighbours(output.target(output.name or ''), digests) if alone else {}


def _write_missing(
    plans: Mapping[Target, Sequence[PlannedShard]],
    encoding: EncodingOptions,
    write_shards: WriteShards,
) -> tuple[dict[Target, list[FinishedShard]], int]:
    """Write the shards that no earlier run finished; return all, and how many were kept."""
    shards = [shard for plan in plans.values() for shard in plan]
    for target in plans:
        files.make_folder(target.folder)
    done, wanted = finished_before(shards)
    remove_unfinished(list(plans), wanted)
    missing = [place for place in range(len(shards)) if place not in done]
    kept = len(done)
    if missing:
        written = write_shards([shards[place] for place in missing], encoding)
        done.update(zip(missing, written, strict=True))
    finished: dict[Target, list[FinishedShard]] = {target: [] for target in plans}
    for place, shard in enumerate(shards):
        finished[shard.target].append(done[place])
    return finished, kept


def _manifest(
    listing: Listing,
    output: Output,
    target: Target,
    plans: Mapping[Target, Sequence[PlannedShard]],
    finished: Sequence[FinishedShard],
    options: Mapping[str, object],
) -> Manifest:
    rejected = [each for shard in finished for each in shard.rejected]
    counts = dict.fromkeys(listing.class_names, 0)
    for _, class_name, _ in stored_images(plans[target], rejected):
        counts[class_name] += 1
    return Manifest(
        class_names=listing.class_names,
        examples_per_class=counts,
        shards=tuple(shard.shard for shard in finished),
        options=dict(options),
        splits=() if output.name is not None else tuple(each.name for each in plans),
        rejected=tuple(sorted(rejected, key=lambda each: each.file)),
        ignored=listing.ignored,
        folder=target.folder,
    )
