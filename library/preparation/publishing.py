"""Publish finished shards under their final names; reuse those of an earlier conversion.

A manifest is removed before the first name changes and written after the last one. So a kill in
between leaves a folder without a manifest, which training refuses, and the next run goes on.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container, Sequence

from library import files
from library.preparation.output import Output, Target, old_manifest
from library.preparation.plan import PlannedShard
from library.preparation.shard_writer import NOTE, FinishedShard, read_note
from library.records.manifest import Manifest
from library.records.shards import PARTIAL


def finished_before(shards: Sequence[PlannedShard]) -> tuple[dict[int, FinishedShard], set[str]]:
    """Return the shards that need no rewriting: made from the same inputs, and still whole.

    Returns:
      These shards, by their place in the plan, and the paths of the temporary files among theirs.
      A temporary file beside a final one that is right is another conversion's, and not among them.
    """
    manifests: dict[Target, Manifest | None] = {}
    done: dict[int, FinishedShard] = {}
    wanted: set[str] = set()
    for place, planned in enumerate(shards):
        target = planned.target
        if target not in manifests:
            manifests[target] = old_manifest(target)
        final, partial, note = (target.path(planned.name + end) for end in ('', PARTIAL, NOTE))
        noted = read_note(target, planned.name)
        listed = _listed(manifests[target], planned)
        # A note outlives the renaming; a manifest speaks of final names alone.
        for finished, path, temporary in (
            (noted, partial, (partial, note)),
            (noted, final, (note,)),
            (listed, final, ()),
        ):
            if finished and _is_right(planned, finished, path):
                done[place] = finished
                wanted.update(temporary)
                break
    return done, wanted


def remove_unfinished(targets: Sequence[Target], wanted: Container[str] = ()) -> None:
    """Remove temporary files, except those whose paths are wanted."""
    for target in targets:
        partial = {path + PARTIAL for path in (target.manifest, target.report, target.images)}
        for name in files.names_in(target.folder):
            path = target.path(name)
            temporary = name.endswith((PARTIAL, NOTE)) and target.is_shard(name)
            if (temporary or path in partial) and path not in wanted:
                files.remove(path)


def publish(output: Output, manifests: dict[Target, Manifest]) -> list[str]:
    """Give the shards their final names.

    Args:
      output: of the conversion.
      manifests: of all its splits.

    Returns:
      Splits of an earlier conversion that are no more, and were removed.
    """
    changed = {t: m for t, m in manifests.items() if not _is_published(t, m)}
    stale = _stale_splits(output, manifests)
    for target in changed:
        if files.exists(target.manifest):
            files.remove(target.manifest)
    for target in stale:
        _remove_split(target)
    for target, manifest in changed.items():
        names = {shard.name for shard in manifest.shards}
        for name in sorted(names):
            if files.exists(target.path(name + PARTIAL)):
                files.replace(target.path(name + PARTIAL), target.path(name))
    for target, manifest in manifests.items():
        names = {shard.name for shard in manifest.shards}
        for name in files.names_in(target.folder):
            if target.is_shard(name) and not name.endswith(NOTE) and name not in names:
                files.remove(target.path(name))
    for target, manifest in changed.items():
        files.write_atomically(target.manifest, manifest.to_json().encode())
    remove_unfinished(list(manifests))
    return [target.name for target in stale]


def _listed(manifest: Manifest | None, planned: PlannedShard) -> FinishedShard | None:
    """Return what the old manifest says of a shard."""
    if manifest is None:
        return None
    for shard in manifest.shards:
        if shard.name == planned.name:
            members = {image.filename for image in planned.images}
            rejected = tuple(each for each in manifest.rejected if each.file in members)
            return FinishedShard(shard, rejected)
    return None


def _is_right(planned: PlannedShard, finished: FinishedShard, path: str) -> bool:
    """Return True if the shard was made from the same, and this file of it is still whole."""
    shard = finished.shard
    return (
        shard.inputs == planned.inputs
        and files.exists(path)
        and files.size(path) == shard.bytes
        and files.digest(path)[1] == shard.sha256
    )


def _is_published(target: Target, manifest: Manifest) -> bool:
    """Return True if nothing is left to do for this split."""
    unnamed = any(files.exists(target.path(shard.name + PARTIAL)) for shard in manifest.shards)
    if unnamed or not files.exists(target.manifest):
        return False
    return files.read_bytes(target.manifest) == manifest.to_json().encode()


def _stale_splits(output: Output, manifests: dict[Target, Manifest]) -> list[Target]:
    """Find neighbouring splits that were once made together with these and no longer are."""
    if output.name is not None:
        return []
    stale = []
    for name in files.names_in(output.folder):
        target = output.target(name)
        old = None if target in manifests else old_manifest(target)
        if old and name in old.splits:
            stale.append(target)
    return stale


def _remove_split(target: Target) -> None:
    """Remove all that a conversion wrote; the manifest last, for it says whose the rest is."""
    remove_unfinished([target])
    for name in files.names_in(target.folder):
        if target.is_shard(name) or target.path(name) in (target.report, target.images):
            files.remove(target.path(name))
    files.remove(target.manifest)
    if not files.is_remote(target.folder):
        with contextlib.suppress(OSError):  # it holds something else, such as the images
            os.rmdir(target.folder)
