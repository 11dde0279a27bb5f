"""What a person should know of how a folder was read: the levels, and files that gave no image."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from library.preparation.image_files import ending_of
from library.preparation.labels import spellings
from library.preparation.sources.entries import Entry
from library.preparation.sources.layout import Layout, class_name
from library.preparation.sources.refusals import pictures, told_endings, told_kinds
from library.preparation.sources.tree import Branch, Tree
from library.records.listing import Remark

# Classes whose other files have a line each.
CLASSES_SHOWN = 10
# Names of what lies beside the classes.
NAMES_SHOWN = 10

# The folders of each class, by its name.
Classes = Mapping[str, Sequence[Branch]]


def layout_remarks(layout: Layout, classes: Classes) -> Iterator[Remark]:
    """Yield which folders were taken for classes, unless nothing else could be."""
    if pattern := layout.pattern():
        yield Remark(f'read as: {pattern}')
    for name, branches in classes.items():
        if len({branch.last_name for branch in branches}) > 1:
            yield Remark(f'{name}: written in two Unicode forms, taken for one class')
    for names in spellings(classes):
        yield Remark(f'taken for different classes: {", ".join(names)}')


def class_remarks(classes: Classes) -> Iterator[Remark]:
    """Yield how many other files the classes hold, of which endings, and what they may be.

    Where a class has more of them than images, they count as bad: these may be its pictures, in a
    format that is not read. A file called like an image beside it (1.json, 1.jpg) only describes
    that one.
    """
    found = []
    for name, branches in classes.items():
        images, others, bad = 0, [], 0
        for branch in (each for top in branches for each in top.all()):
            images += len(branch.images)
            others += branch.others
            bad += _without_image(branch)
        if others:
            found.append(_Class(name, images, _endings(others), bad if bad > images else 0))
    found.sort(key=lambda each: -each.bad)
    for each in found[:CLASSES_SHOWN]:
        yield Remark(f'{each.name}: {each.images} images, {told_endings(each.endings)}', each.bad)
    if rest := found[CLASSES_SHOWN:]:
        endings = sum((each.endings for each in rest), Counter[str]())
        bad = sum(each.bad for each in rest)
        yield Remark(f'{len(rest)} more classes: {told_endings(endings)}', bad)
    inner = (each for tops in classes.values() for top in tops for each in top.all())
    for told in told_kinds(other for each in inner for other in each.others):
        yield Remark(told)


def other_names(classes: Classes) -> Iterator[str]:
    """Yield the name of each file of a class that is no image."""
    for branches in classes.values():
        for branch in (each for top in branches for each in top.all()):
            yield from _names(branch.others)


class Beside:
    """What lies in no class folder.

    Attributes:
      names: of the files, and of folders of images without a class.
      remarks: the same for people.
    """

    def __init__(self, tree: Tree, layout: Layout, listed: int):
        """Finds it.

        Args:
          tree: all that is there.
          layout: which folders are classes.
          listed: how many images the classes have; if fewer, those beside them count as bad.
        """
        classes = {branch for level in layout.levels for _, branch in level.classes()}
        self.names: list[str] = []
        self.remarks: list[Remark] = []
        loose, waiting = 0, [tree.root]
        while waiting:
            branch = waiting.pop(0)
            if branch not in classes and branch not in layout.unlabelled:
                loose += len(branch.images)
                self.names += _names([*branch.images, *branch.others])
                waiting += branch.folders
        levels = [each for level in layout.levels for each in level.folder.folders]
        names = {class_name(each) for each in classes}
        empty = [each for each in levels if not each.count and class_name(each) not in names]
        self.names += [f'{each.name}: no images' for each in empty]
        # Links too, however many names are before them: they might be classes.
        links = [name for name in self.names if ': symbolic link' in name][:NAMES_SHOWN]
        told = list(dict.fromkeys([*self.names[:NAMES_SHOWN], *links]))
        self.remarks += [Remark(f'ignored (not an image of a class): {name}') for name in told]
        if more := len(self.names) - len(told):
            self.remarks.append(Remark(f'ignored: {more} more beside the class folders'))
        if loose > min(NAMES_SHOWN, listed):
            text = f'warning: {pictures(loose)} beside the class folders, left out'
            self.remarks.append(Remark(text, loose if loose > listed else 0))
        for branch in layout.unlabelled:
            classes_of = 'in none of the classes in train'
            why = classes_of if len(branch.with_images) > 1 else 'without a class'
            text = f'{branch.name}: {pictures(branch.count)} {why}'
            self.names.append(text)
            self.remarks.append(Remark(f'warning: {text}, left out'))
        self.remarks += map(Remark, tree.skipped.told())


class _Class(NamedTuple):
    """A class that has other files than images, by their endings; `bad` of them count as bad."""

    name: str
    images: int
    endings: Counter[str]
    bad: int


def _without_image(branch: Branch) -> int:
    """Return how many other files in a folder are not called like an image beside them."""
    names = [os.path.basename(name) for name, _ in branch.images]
    called = {*names, *(os.path.splitext(name)[0] for name in names)}
    others = (os.path.splitext(os.path.basename(name))[0] for name, _ in branch.others)
    return sum(stem not in called for stem in others)


def _endings(others: Iterable[tuple[str, Entry]]) -> Counter[str]:
    return Counter(ending_of(os.path.basename(name)) for name, _ in others)


def _names(entries: Iterable[tuple[str, Entry]]) -> Iterator[str]:
    """Return the names; with the reason where it might be a folder of images, such as a link."""
    for name, entry in entries:
        yield name if entry.kind == 'image' else f'{name}: {entry.kind}'
