"""Summarize a conversion in a few lines for the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from library.preparation.converter import Conversion
from library.preparation.duplicates import Group, is_dropped
from library.preparation.output import Output
from library.preparation.pictures.changes import told_changes
from library.records.listing import Listing
from library.records.manifest import Manifest

# Longer lists are cut: the files beside the shards hold them whole.
SHOWN = 10
# Classes that the table of splits still shows one by one.
TABLE_ROWS = 30


def describe(listing: Listing) -> Iterator[str]:
    """Yield how the source read the data set, before anything is converted."""
    yield from (remark.text for remark in listing.remarks)


def summarize(conversion: Conversion, output: Output, seconds: float) -> Iterator[str]:
    """Yield the lines, warnings before results."""
    manifests = conversion.manifests
    class_names = next(iter(manifests.values())).class_names
    if len(class_names) == 1:
        yield f'warning: one class alone, {class_names[0]}: there is nothing to tell it from'
    yield from _left_out(manifests, output)
    yield from _duplicates(conversion.duplicates, output)
    yield from _groups(conversion)
    for folder, count in conversion.shared.items():
        yield f'warning: {count} of these pictures are in {folder} too'
    for name in conversion.removed:
        yield f'removed: {name}, a split of an earlier conversion'
    yield from _empty_classes(manifests)
    if len(manifests) > 1:
        yield from _table(manifests)
    if conversion.kept:
        yield f'kept: {conversion.kept} of {conversion.shards} shards, made from the same images'
    if told := told_changes(conversion.changes):
        yield told
    for split, manifest in manifests.items():
        yield (
            f'{manifest.examples} images of {len(manifest.class_names)} classes in '
            f'{len(manifest.shards)} shards ({manifest.reencoded} re-encoded, '
            f'{_missing(manifest)}), {seconds:.1f} s: {output.target(split).manifest}'
        )


def _empty_classes(manifests: Mapping[str, Manifest]) -> Iterator[str]:
    """Name the classes that splits lack; only --labels names some that all of them lack."""
    counts = [manifest.examples_per_class for manifest in manifests.values()]
    nowhere = [name for name in counts[0] if not any(each[name] for each in counts)]
    if nowhere and len(manifests) > 1:
        yield f'warning: no split has an image of {_classes(nowhere)} (--labels)'
    for split, manifest in manifests.items():
        empty = [name for name, count in manifest.examples_per_class.items() if not count]
        if len(manifests) > 1:
            empty = [name for name in empty if name not in nowhere]
        if empty:
            by_hash = manifest.options.get('split_by') == 'hash'
            hint = ' (--split_by exact gives each split its share of each class)' * by_hash
            yield f'warning: {split} has no image of {_classes(empty)}{hint}'


def _classes(names: Sequence[str]) -> str:
    more = f' and {len(names) - SHOWN} more classes' if len(names) > SHOWN else ''
    return ', '.join(names[:SHOWN]) + more


def _missing(manifest: Manifest) -> str:
    """Say how many images of a split have no record, and why."""
    dropped = sum(map(is_dropped, manifest.rejected))
    rejected = f'{len(manifest.rejected) - dropped} rejected'
    return f'{rejected}, {dropped} dropped' if dropped else rejected


def _left_out(manifests: Mapping[str, Manifest], output: Output) -> Iterator[str]:
    first, manifest = next(iter(manifests.items()))
    if len(manifest.ignored) > SHOWN:
        yield f'ignored: {len(manifest.ignored)}, all named in {output.target(first).manifest}'
    for split, manifest in manifests.items():
        bad = [each for each in manifest.rejected if not is_dropped(each)]
        for each in bad[:SHOWN]:
            yield f'rejected: {each.file}: {each.reason}'
        if len(bad) > SHOWN:
            report = output.target(split).report
            yield f'rejected: {len(bad) - SHOWN} more, all named in {report}'


def _duplicates(groups: list[Group], output: Output) -> Iterator[str]:
    if not groups:
        return
    for group in groups[:SHOWN]:
        yield 'the same picture: ' + ', '.join(image.filename for image in group.images[:SHOWN])
    leaks = sum(group.leaks for group in groups)
    conflicts = sum(group.conflicts for group in groups)
    yield (
        f'warning: duplicate images: {len(groups)} ({leaks} in two splits, '
        f'{conflicts} under two labels), listed in {output.duplicates} (see --duplicates)'
    )


def _groups(conversion: Conversion) -> Iterator[str]:
    if conversion.groups:
        torn = sorted(
            # Several texts of a pattern are joined by a letter that no screen shows.
            name.replace('\0', ' ')
            for name, splits in conversion.groups.items()
            if len(splits) > 1
        )
        if torn:
            yield (
                f'warning: {len(torn)} of {len(conversion.groups)} groups are in two splits, as '
                f'the data set has them: {_shown(torn)}'
            )
        else:
            yield f'groups: {len(conversion.groups)}, each in one split'
    if conversion.series:
        manifest = next(iter(conversion.manifests.values()))
        is_made = 'splits' in manifest.options
        way = '--group_by keeps each series in one split' if is_made else 'as the data set has them'
        yield (
            f'warning: images that look like series are in two splits, so a test may measure '
            f'memory: {_shown(conversion.series)} ({way})'
        )


def _shown(names: Sequence[str]) -> str:
    return ', '.join(names[:SHOWN]) + (' ...' if len(names) > SHOWN else '')


def _table(manifests: Mapping[str, Manifest]) -> Iterator[str]:
    """Tabulate the images of each class in each split."""
    names = list(next(iter(manifests.values())).class_names)
    shown = names[:TABLE_ROWS]
    width = max(len(name) for name in ('all', 'class', *shown))
    yield '  '.join([f'{"class":<{width}}', *(f'{split:>10}' for split in manifests)])
    for name in shown:
        counts = (manifest.examples_per_class[name] for manifest in manifests.values())
        yield '  '.join([f'{name:<{width}}', *(f'{count:>10}' for count in counts)])
    if len(names) > len(shown):
        yield f'... {len(names) - len(shown)} more classes'
    totals = [manifest.examples for manifest in manifests.values()]
    fractions = [f'{count} {count / sum(totals):.0%}' for count in totals]
    yield '  '.join([f'{"all":<{width}}', *(f'{text:>10}' for text in fractions)])
