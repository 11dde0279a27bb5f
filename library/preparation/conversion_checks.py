"""Refuse a conversion to places that are taken, or with results too bad to publish."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from library import files
from library.errors import ConfigError, DataError
from library.preparation.duplicates import is_dropped
from library.preparation.images import MIN_EDGE
from library.preparation.output import Output, Target, is_free_for_list, write_list
from library.preparation.publishing import remove_unfinished
from library.records.listing import LabelledImage, Remark
from library.records.manifest import Manifest, Rejected, is_manifest, manifest_names


def check_free(target: Target, output: Output) -> None:
    """Raise ConfigError where somebody else's files, or another split, would be in the way."""
    other = f'choose another --tfrecord_dir{" or --tfrecord_filename" if output.name else ""}'
    if files.exists(target.manifest) and not is_manifest(target.manifest):
        raise ConfigError(f'{target.manifest}: not of a conversion; {other}')
    for path in (target.report, target.images, output.duplicates):
        if not is_free_for_list(path):
            raise ConfigError(f'{path}: not of a conversion; {other}')
    for name in manifest_names(target.folder):
        path = target.path(name)
        if path != target.manifest:
            raise ConfigError(
                f'{path}: another split is in this folder, and a folder holds one; choose another '
                f'--tfrecord_dir'
            )


def check_manifests(
    manifests: Mapping[Target, Manifest],
    images: Sequence[LabelledImage],
    max_bad_fraction: float,
    remarks: Sequence[Remark] = (),
) -> None:
    """Write the reports; leave nothing but them unless all is well.

    Args:
      manifests: of all splits, before they are published.
      images: all that were listed.
      max_bad_fraction: the fraction of them that may be bad.
      remarks: of the source, which may name further files that count as bad.

    Raises:
      DataError: too many images are bad, or a split or a class has none that is good.
    """
    try:
        for target, manifest in manifests.items():
            _write_report(target, manifest)
        _check_budget(manifests, len(images), max_bad_fraction, remarks)
        _check_classes(manifests, images)
    except DataError:
        remove_unfinished(list(manifests))
        raise


def _write_report(target: Target, manifest: Manifest) -> None:
    """List the rejected images of a split."""
    write_list(target.report, lambda: ((each.file, each.reason) for each in manifest.rejected))


def _check_budget(
    manifests: Mapping[Target, Manifest],
    total: int,
    max_bad_fraction: float,
    remarks: Sequence[Remark],
) -> None:
    """Files of a class that are mostly no images count as bad ones."""
    rejected = [
        each
        for manifest in manifests.values()
        for each in manifest.rejected
        if not is_dropped(each)
    ]
    reports = ', '.join(target.report for target, each in manifests.items() if each.rejected)
    see = f'{_commonest(rejected)}; see {reports}'
    if not sum(manifest.examples for manifest in manifests.values()):
        raise DataError(f'none of the {total} images is good{see}')
    others = sum(remark.bad for remark in remarks)
    bad, total = len(rejected) + others, total + others
    # Not bad > fraction * total: 0.29 * 100 is 28.999999999999996.
    if bad / total > max_bad_fraction:
        if others:
            told = '; '.join(remark.text for remark in remarks if remark.bad)
            see = f': {told}{see if rejected else ""}'
        raise DataError(
            f'{bad} of {total} {"files" if others else "images"} are bad, more than '
            f'--max_bad_fraction {max_bad_fraction}{see}'
        )


def _commonest(rejected: Iterable[Rejected]) -> str:
    """Return why most images were rejected, and the way on where an option leads there."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for each in rejected:
        # Sizes and positions differ from image to image.
        kinds[re.sub(r'\d+', '0', each.reason)].append(each.reason)
    if not kinds:
        return ''
    reasons = max(kinds.values(), key=len)
    edges = [edge for reason in reasons if (edge := _edge_that_is_enough(reason))]
    way = f' (--max_edge >= {max(edges)} takes them)' if edges else ''
    return f'; most often ({len(reasons)}): {reasons[0]}{way}'


def _edge_that_is_enough(reason: str) -> int | None:
    """Return the --max_edge by which a long and narrow image is not shrunk to nothing."""
    found = re.match(r'(\d+)x(\d+), \d+x\d+ when shrunk: ', reason)
    if not found:
        return None
    short, long = sorted((int(found[1]), int(found[2])))
    return math.ceil(MIN_EDGE * long / short)


def _check_classes(manifests: Mapping[Target, Manifest], images: Sequence[LabelledImage]) -> None:
    """Raise DataError for a split or class without good images; --labels may name more classes."""
    for target, manifest in manifests.items():
        if not manifest.examples:
            why = _commonest(manifest.rejected)
            raise DataError(
                f'{target.folder}: none of its images is good{why}; see {target.report}'
            )
    first = next(iter(manifests.values()))
    reports = ', '.join(target.report for target in manifests)
    for label in sorted({image.label for image in images}):
        name = first.class_names[label]
        if not any(each.examples_per_class[name] for each in manifests.values()):
            raise DataError(f'class {name!r} has no good image; see {reports}')
