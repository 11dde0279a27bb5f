"""What a folder is refused with: what is not certain about it, and the option that settles it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from shlex import quote

from library.preparation.image_files import ending_of, is_archive, told_kind
from library.preparation.sources.entries import Entry
from library.preparation.sources.split_words import split_folders, split_word
from library.preparation.sources.tree import Branch, Tree

# Longer lists of folders are cut.
SHOWN = 5

# What else a person can do whose images are in one folder, all classes together.
OTHER_THAN_FOLDERS = (
    ', or name the class of each in a CSV file (columns path and label) or by --label_from_name'
)


class Refusals:
    """The messages for one tree, in the words of the program that reads it."""

    def __init__(self, tree: Tree, flag: str):
        """Keep the tree, and the option that its root was given as."""
        self._tree = tree
        self._flag = flag
        self._root = tree.path('')

    def no_folders(self, folder: Branch) -> str:
        """Describe a folder without folders."""
        path = self._path(folder)
        message = f'{path}: no class folders (expected {path}/CLASS/IMAGE.jpg)'
        if folder.images:
            itself = f'it holds {pictures(len(folder.images))} itself'
            return f'{message}; {itself}: {self._make_classes(folder)}'
        return f'{message}{_to_unpack(folder)}'

    def only_folders(self, deep: Sequence[Branch], names: Collection[str], in_splits: bool) -> str:
        """Describe would-be classes without images of their own, among classes of these names."""
        several = len(deep) > 1
        told = shown([each.name for each in deep])
        inner = _names_of(inside for each in deep for inside in each.with_images)
        message = f'{self._root}: {told} hold{"" if several else "s"} no picture{"s" * several} '
        message += f'{"themselves" if several else "itself"}, only the '
        splits = [each for top in deep for each in split_folders(top)]
        if splits or (several and all(map(split_word, inner))):
            return f'{message}splits {shown(_names_of(splits) or inner)}: {self._undivided(deep)}'
        at, below = self._classes_at, list(_levels_below(deep))
        ways = [f'{shown(_names_of(each))} the classes ({at(each[0], 1)})' for each in below]
        if not several and not in_splits:
            # The folders beside it are no classes then, or on another level.
            ways = [f'these the classes ({self._given(_without_wrappers(deep[0]))})']
        elif ways and _names_of(below[0]) == inner:
            ways[0] = f'these the classes ({at(below[0][0], 1)})'
        if len(names) > 1 or not ways:
            ways.append(
                f'or {told} ({at(deep[0], 1)})'
                if ways
                else f'{told} the classes ({at(deep[0], 1)})'
            )
        first = below[0] if below else []
        alike = [_names_of(b for b in first if b.name.startswith(f'{top.name}/')) for top in deep]
        if several and not in_splits and len(alike[0]) > 1 and alike.count(alike[0]) == len(deep):
            ways.append(f'or one of these folders alone ({self._given(deep[0])})')
        return f'{message}folders {shown(inner)}: are {", ".join(ways)}?'

    def _undivided(self, deep: Sequence[Branch]) -> str:
        """Return the way on where would-be classes hold splits."""
        way = f'give it alone ({self._given(deep[0])})'
        if len(deep) == 1:
            return way
        if not any(each.only_folders for top in deep for each in top.with_images):
            way = 'move the classes into folders of splits (SPLIT/CLASS)'
        way = way.replace('it alone', 'one of them alone')
        return f'{way}, or take all together ({self._classes_at(deep[0], 1)})'

    def no_class_names(self, folder: Branch, branch: Branch) -> str:
        """Describe folders that are called as no classes are."""
        names = shown(_names_of(folder.with_images))
        return (
            f'{self._path(folder)}: {names} do not look like classes: '
            f'{self._make_classes(branch)}; if they are: {self._classes_at(folder)}'
        )

    def other_classes(self, folder: Branch, table: str, classes: Sequence[str]) -> str:
        """Describe a table that puts the images of the folders into other classes."""
        return (
            f'{self._root}: {os.path.basename(table)} puts these images into the classes '
            f'{shown(classes)}, the folders into {shown(_names_of(folder.with_images))}: give the '
            f'table ({self._flag} {quote(table)}), or take the folders ({self._classes_at(folder)})'
        )

    def one_class(self, folder: Branch, branch: Branch) -> str:
        """Describe a folder that holds one class alone."""
        name = branch.last_name
        if branch.images and (word := split_word(name)) and not word.rest:
            return self.no_classes(branch, None)
        return (
            f'{self._root}: holds one class folder alone, {name}: there is nothing to tell it '
            f'from: {self._make_classes(branch)}; if one is meant: {self._classes_at(folder)}'
        )

    def empty_class(self, folder: Branch, leaves_classes: bool) -> str:
        """Describe a class folder without images."""
        others = Counter(ending_of(name) for each in folder.all() for name, _ in each.others)
        message = f'{self._path(folder)}: the class folder holds no images'
        message += f', only {told_endings(others)}' if others else ''
        if kinds := told_kinds(each for inner in folder.all() for each in inner.others):
            return f'{message} ({"; ".join(kinds)})'
        archives = _to_unpack(folder)
        if leaves_classes and not archives:
            return f'{message}; if it is none: {self._classes_at(folder, 1)}'
        return f'{message}{archives}'

    def no_classes(self, split: Branch, classes: Branch | None) -> str:
        """Describe a split without classes, beside the folder of those to train on (else None)."""
        path = self._path(split)
        message = f'{path}: is named after a split, but holds no class folders'
        if split.count and classes:
            if split.with_images:
                message = f'{path}: is named after a split, but holds none of the classes in train'
            # Not to evaluate on what is trained on.
            program = '' if self._converts else 'convert_dataset.py '
            return (
                f'{message}, only {pictures(split.count)} without a class; without them: '
                f'{program}--dataset_dir {quote(self._path(classes))} --splits train=0.8,test=0.2'
            )
        message += f' (expected {path}/CLASS/IMAGE.jpg)'
        if classes:
            return f'{message}; {self._classes_at(classes)} leaves it out'
        if split.count:
            message += f'; it holds {pictures(split.count)}: {self._make_classes(split)}'
        if split.images:
            message += f'; if it is a class: {self._classes_at(split, 1)}'
        return message

    def two_spellings(self, folders: Sequence[Branch]) -> str:
        """Describe splits that seem to write the name of a class in two ways."""
        names = ', '.join(each.name for each in folders)
        return (
            f'{self._root}: {names}: one class in two spellings? Rename one folder; if they are '
            f'two classes: {self._classes_at(folders[0], 1)}'
        )

    def beside_splits(self, folder: Branch, splits: Collection[Branch], other: Branch) -> str:
        """Describe a folder that holds splits and another one with classes."""
        way = 'move it away'
        if split_folders(other):
            way += f', or give it alone ({self._given(other)})'
        return (
            f'{self._path(folder)}: holds the splits {_last_names(splits)}, and beside them '
            f'{other.last_name}, which is none; {way}'
        )

    def one_split_twice(self, folder: Branch, splits: Collection[Branch]) -> str:
        """Describe a folder in which a split has two folders."""
        within = min(
            (inner for each in splits for inner in each.with_images),
            default=None,
            key=lambda each: each.name,
        )
        together = f'; to take them together: {self._classes_at(within, 1)}' if within else ''
        return (
            f'{self._path(folder)}: two folders of one split among {_last_names(splits)}{together}'
        )

    def no_level(self, depth: int) -> str:
        """Describe a tree that is not so deep."""
        return f'{self._root}: no folder with images on level {depth} (--classes_at)'

    @property
    def _converts(self) -> bool:
        """Return True if the program is the one that has --classes_at and --splits."""
        return self._flag == '--dataset_dir'

    def _classes_at(self, folder: Branch, levels_up: int = 0) -> str:
        """Return the option that makes classes of the folders in this one."""
        level = folder.name.count('/') + 1 + bool(folder.name) - levels_up
        return f'{"" if self._converts else "convert_dataset.py "}--classes_at {level}'

    def _make_classes(self, folder: Branch) -> str:
        """Return what to do with images that lie in one folder, all classes together."""
        tables = self._tree.tables_above(folder)
        if not tables:
            return f'make folders{OTHER_THAN_FOLDERS}'
        names = shown([f'{self._flag} {quote(table)}' for table in tables])
        return f'make folders, or give a table that names the class of each ({names})'

    def _given(self, folder: Branch) -> str:
        """Return what gives this folder alone, as a shell takes it."""
        return f'{self._flag} {quote(self._path(folder))}'

    def _path(self, folder: Branch) -> str:
        return self._tree.path(folder.name)


def _names_of(folders: Iterable[Branch]) -> list[str]:
    return sorted({each.last_name for each in folders})


def _levels_below(folders: Sequence[Branch]) -> Iterator[Sequence[Branch]]:
    """Yield the folders of each level that could be classes, down to the first with images.

    Those of one name, such as CLASS/images, are none.
    """
    while not any(each.images for each in folders):
        folders = [inner for each in folders for inner in each.with_images]
        if len(_names_of(folders)) > 1:
            yield folders


def _without_wrappers(folder: Branch) -> Branch:
    """Return the folder within that holds images, or more than one folder with some."""
    while len(folder.with_images) == 1 and folder.with_images[0].only_folders:
        (folder,) = folder.with_images
    return folder


def _to_unpack(folder: Branch) -> str:
    """Return the way on where archives lie; '' for none."""
    files = [entry.path for _, entry in folder.others if entry.kind == 'image']
    archives = [os.path.basename(file) for file in files if is_archive(file)]
    return f'; unpack first: {shown(archives)}' if archives else ''


def told_kinds(others: Iterable[tuple[str, Entry]]) -> list[str]:
    """Say of one file of each ending what picture it holds, if it holds one, and the way on."""
    first: dict[str, tuple[str, Entry]] = {}
    for name, entry in others:
        first.setdefault(ending_of(os.path.basename(name)), (name, entry))
    kinds = [(name, told_kind(e.path)) for name, e in first.values() if e.kind == 'image']
    return [f'{name}: {kind}' for name, kind in kinds if kind]


def told_endings(endings: Counter[str]) -> str:
    """Count files by ending, such as '120 other files: 40 .dcm, 40 .dng, 40 .jxl'."""
    total = endings.total()
    by_count = sorted(endings.items(), key=lambda each: (-each[1], each[0]))
    kinds = [f'{count} {ending or "without an ending"}' for ending, count in by_count]
    return f'{total} other file{"s" * (total > 1)}: {shown(kinds)}'


def shown(names: Sequence[str]) -> str:
    """List some names, and how many more there are."""
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return ', '.join(names[:SHOWN]) + more


def pictures(count: int) -> str:
    """Say how many there are."""
    return '1 picture' if count == 1 else f'{count} pictures'


def _last_names(folders: Collection[Branch]) -> str:
    return shown([each.last_name for each in folders])
