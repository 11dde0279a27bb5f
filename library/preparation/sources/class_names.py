"""Tell names of folders and files that no class or picture has: masks, annotations, parts."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection

# What pictures are called that say where in another picture something is.
_MARKS = frozenset(
    [
        *('annot', 'annotation', 'annotations', 'bbox', 'boxes', 'contours', 'depth'),
        *('ground', 'groundtruth', 'gt', 'label', 'labels', 'mask', 'masks'),
        *('segmentation', 'segmentations', 'segmented', 'trimap', 'trimaps', 'truth'),
    ]
)
# What pictures are called, beside their masks.
_PICTURES = frozenset(
    [
        *('binary', 'class', 'color', 'image', 'images', 'img', 'imgs', 'input'),
        *('inputs', 'instance', 'jpeg', 'jpg', 'object', 'original', 'originals'),
        *('photo', 'photos', 'picture', 'pictures', 'png', 'raw', 'rgb', 'semantic'),
        *('vis', 'visualization'),
    ]
)
# What the parts of a download are called, before their number.
_PARTS = frozenset(
    [
        *('archive', 'batch', 'chunk', 'data', 'dir', 'disk', 'files', 'folder', 'image'),
        *('images', 'img', 'imgs', 'part', 'photos', 'pictures', 'set', 'shard'),
        *('subset', 'test', 'train', 'val', 'valid', 'vol', 'volume'),
    ]
)
# Where a capital begins a word within a name.
HUMPS = re.compile(r'(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])')
# Such as 1_mask.png, 1 (2)_mask_1.png and 1-GT.png beside 1.png.
_MASK_OF = re.compile(
    r'(.+?)[ _-]+(masks?|seg|segmentation|gt|groundtruth)[ _-]?\d*', re.IGNORECASE
)


def are_no_classes(names: Collection[str]) -> bool:
    """Return whether folders are kinds of pictures, such as images and masks, or parts of a set.

    Args:
      names: of all folders that would be classes.
    """
    words = {name: _words(name) for name in names}
    return len(names) > 1 and (_are_kinds(words) or _are_parts(words))


def _words(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r'[a-z]+', HUMPS.sub(' ', name).lower()))


def _are_kinds(words: dict[str, tuple[str, ...]]) -> bool:
    """Return whether each is a picture or a mark of one, by its words or by a name beside it."""
    marked: dict[frozenset[str], set[bool]] = defaultdict(set)
    for each in words.values():
        marked[frozenset(each) - _MARKS - _PICTURES].add(not _MARKS.isdisjoint(each))
    plain = marked.pop(frozenset(), set())
    are_pairs = all(found == {True, False} for found in marked.values())
    return are_pairs and (bool(marked) or True in plain)


def _are_parts(words: dict[str, tuple[str, ...]]) -> bool:
    """Return whether they differ in a number alone, behind a word for parts."""
    (first, *others) = set(words.values())
    is_numbered = all(re.search(r'\d$', name) for name in words)
    return not others and is_numbered and bool(first) and first[-1] in _PARTS


def masks_among(names: Collection[str]) -> dict[str, str]:
    """Find the files that are named as the mask of another one.

    Args:
      names: of files in one folder.

    Returns:
      Name of a mask to that of its picture.
    """
    by_stem = {os.path.splitext(name)[0]: name for name in names}
    found = {}
    for stem, name in by_stem.items():
        match = _MASK_OF.fullmatch(stem)
        if match and match[1] in by_stem:
            found[name] = by_stem[match[1]]
    return found
