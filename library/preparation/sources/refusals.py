"""What a folder is refused with: what is not certain about it, and the option that settles it."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from library.preparation.image_files import is_archive
from library.preparation.sources.split_folders import split_word
from library.preparation.sources.tree import Branch, Tree

# Longer lists of folders are cut.
SHOWN = 5

# What else a person can do whose images are in one folder, all classes together.
OTHER_THAN_FOLDERS = ', or name the class of each in a CSV file (columns path and label)'


class Refusals:
    """The messages for one tree, in the words of the program that reads it."""

    def __init__(self, tree: Tree, flag: str):
        """Keeps the tree, and the option that its root was given as."""
        self._tree = tree
        self._flag = flag
        self._root = tree.path('')

    def no_folders(self, folder: Branch) -> str:
        """Of a folder without folders."""
        path = self._path(folder)
        message = f'{path}: no class folders (expected {path}/CLASS/IMAGE.jpg)'
        others = [entry.path for _, entry in folder.others if entry.kind == 'image']
        if folder.images:
            tables = [file for file in others if file.lower().endswith('.csv')]
            csv = f', or give a CSV file ({self._flag} {tables[0]})' if tables else ''
            itself = f'it holds {pictures(len(folder.images))} itself'
            return f'{message}; {itself}: make folders{csv or OTHER_THAN_FOLDERS}'
        archives = [os.path.basename(file) for file in others if is_archive(file)]
        return f'{message}; unpack first: {shown(archives)}' if archives else message

    def only_folders(self, deep: Sequence[Branch], in_splits: bool) -> str:
        """Of would-be classes that hold no image themselves."""
        first, several = deep[0], len(deep) > 1
        inner = sorted({each.last_name for branch in deep for each in branch.with_images})
        names = shown([each.name for each in deep])
        holds = 'hold no pictures themselves' if several else 'holds no picture itself'
        together = self._classes_at(first, levels_up=1)
        if several and all(map(split_word, inner)):
            return (
                f'{self._root}: {names} {holds}, only the splits {shown(inner)}: move the classes '
                f'into folders of splits (SPLIT/CLASS), or take all together ({together})'
            )
        below = self._classes_at(first)
        if not several and not in_splits:
            below = f'{self._flag} {self._path(first)}'
        return (
            f'{self._root}: {names} {holds}, only the folders {shown(inner)}: are these the '
            f'classes ({below}), or {names} ({together})?'
        )

    def one_class(self, folder: Branch, name: str) -> str:
        """Of a folder that holds one class alone."""
        return (
            f'{self._root}: holds one class folder alone, {name}: there is nothing to tell it '
            f'from; if that is meant: {self._classes_at(folder)}'
        )

    def empty_class(self, folder: Branch) -> str:
        """Of a class folder without images."""
        return f'{self._path(folder)}: the class folder holds no images'

    def no_classes(self, split: Branch, train: Branch | None) -> str:
        """Of a split without classes, beside one to train on that has some (else None)."""
        path = self._path(split)
        message = f'{path}: is named after a split, but holds no class folders'
        if split.count and train:
            if split.with_images:
                message = f'{path}: is named after a split, but holds none of the classes in train'
            dividing = ' --splits train=0.8,test=0.2' * self._converts
            return (
                f'{message}, only {pictures(split.count)} without a class; without them: '
                f'{self._flag} {self._path(train)}{dividing}'
            )
        message += f' (expected {path}/CLASS/IMAGE.jpg)'
        if split.count:
            message += f'; it holds {pictures(split.count)}: make folders{OTHER_THAN_FOLDERS}'
        return message

    def beside_splits(self, folder: Branch, splits: Collection[Branch], other: Branch) -> str:
        """Of a folder that holds splits and another one with classes."""
        return (
            f'{self._path(folder)}: holds the splits {_last_names(splits)}, and beside them '
            f'{other.last_name}, which is none; move it away'
        )

    def one_split_twice(self, folder: Branch, splits: Collection[Branch]) -> str:
        """Of a folder in which a split has two folders."""
        return f'{self._path(folder)}: two folders of one split among {_last_names(splits)}'

    def no_level(self, depth: int) -> str:
        """Of a tree that is not so deep."""
        return f'{self._root}: no folder with images on level {depth} (--classes_at)'

    @property
    def _converts(self) -> bool:
        """True if the program is the one that has --classes_at and --splits."""
        return self._flag == '--dataset_dir'

    def _classes_at(self, folder: Branch, levels_up: int = 0) -> str:
        """The option that makes classes of the folders in this one."""
        level = folder.name.count('/') + 1 + bool(folder.name) - levels_up
        return f'{"" if self._converts else "convert_dataset.py "}--classes_at {level}'

    def _path(self, folder: Branch) -> str:
        return self._tree.path(folder.name)


def shown(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return ', '.join(names[:SHOWN]) + more


def pictures(count: int) -> str:
    """Says how many there are."""
    return '1 picture' if count == 1 else f'{count} pictures'


def _last_names(folders: Collection[Branch]) -> str:
    return shown([each.last_name for each in folders])
