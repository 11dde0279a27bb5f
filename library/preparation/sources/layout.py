"""A folder's levels to classes and splits, before an image is listed.

The classes are the folders of one level that hold images themselves. Above it may be folders of
splits, and folders that hold nothing but the next one. What could be read in two ways is refused,
with the option that says which is meant.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from unicodedata import normalize

from library import files
from library.errors import DataError
from library.preparation.image_files import is_archive
from library.preparation.sources.split_folders import split_folders
from library.preparation.sources.tree import Branch, Tree

# Longer lists of folders are cut.
SHOWN = 5

# What else a person can do whose images are in one folder, all classes together.
OTHER_THAN_FOLDERS = ', or name the class of each in a CSV file (columns path and label)'


@dataclass(eq=False)
class Level:
    """A folder whose folders are classes, and the split that it is ('' for none)."""

    folder: Branch
    split: str = ''

    def classes(self) -> Iterator[tuple[str, Branch]]:
        """Yields the name of each class here that has images, and its folder."""
        for each in self.folder.with_images:
            yield class_name(each), each


@dataclass
class Layout:
    """Where the classes of a data set are.

    Attributes:
      levels: the folders that hold them, one or one for each split.
      unlabelled: folders of images without a class beside them.
    """

    levels: list[Level]
    unlabelled: list[Branch] = field(default_factory=list)

    def pattern(self) -> str:
        """Says which folders were taken for classes; '' where they are all that there is."""
        places = [
            f'{f"{level.split} = " * bool(level.split)}{files.join(level.folder.name, "CLASS")}'
            for level in self.levels
        ]
        return '' if places == ['CLASS'] else shown(places)


class Reader:
    """Reads the layout of a tree.

    What it refuses it says with the way on, in the words of the program that asked.
    """

    def __init__(self, tree: Tree, flag: str, known: Collection[str], divides: bool):
        """Keeps what is needed beside the folders.

        Args:
          tree: the folders.
          flag: the option that the root was given as.
          known: names of classes that a person gave; one of them alone is a data set.
          divides: the training images will be divided, so there need not be another split.
        """
        self._tree = tree
        self._flag = flag
        self._known = {normalize('NFC', each) for each in known}
        self._divides = divides

    def read(self) -> Layout:
        """Find the classes.

        Raises:
          DataError: there are none, or it is not certain which folders they are.
        """
        folder = self._tree.root
        while not (splits := split_folders(folder)):
            if (inner := _wrapped(folder)) is None:
                self._check_classes([Level(folder)])
                return Layout([Level(folder)])
            folder = inner
        if len(set(splits.values())) < len(splits):
            names = ', '.join(each.last_name for each in splits)
            raise DataError(f'{self._path(folder)}: two folders of one split among {names}')
        return self._divided(folder, splits)

    def read_at(self, depth: int) -> Layout:
        """Take the folders of one level for classes; those above it may be splits.

        Args:
          depth: 1 for the folders in the root.

        Raises:
          DataError: there is no folder with images there, or one without any.
        """
        levels = [Level(self._tree.root)]
        for _ in range(depth - 1):
            further = []
            for level in levels:
                folder = level.folder
                splits = {} if level.split else split_folders(folder)
                for each in folder.folders:
                    # What lies beside splits is one of its own name, so that nothing is mixed.
                    own = splits.get(each) or each.last_name * bool(splits)
                    further.append(Level(each, level.split or own))
            levels = further
        levels = [level for level in levels if level.folder.folders]
        if not any(level.folder.with_images for level in levels):
            raise DataError(
                f'{self._tree.path("")}: no folder with images on level {depth} (--classes_at)'
            )
        self._check_empty(levels)
        return Layout(levels)

    def _divided(self, folder: Branch, splits: dict[Branch, str]) -> Layout:
        """The classes within splits, each of which may hold them in a folder of its own."""
        train = next((each for each, split in splits.items() if split == 'train'), None)
        trained = {name for name, _ in Level(_unwrapped(train)).classes()} if train else set()
        labelled, unlabelled = [], []
        for each, split in splits.items():
            level = Level(_unwrapped(each, trained), split)
            found = {name for name, _ in level.classes()}
            # Where none is a class to train on, they are no classes, as in test/test/1.jpg.
            if found and (not trained or trained & found):
                labelled.append(level)
            else:
                unlabelled.append(each)
        self._check_labelled(folder, splits, labelled, unlabelled)
        classes = {name for level in labelled for name, _ in level.classes()}
        for each in folder.with_images:
            if each not in splits:
                self._check_beside(folder, each, splits, classes)
                unlabelled.append(each)
        self._check_classes(labelled)
        return Layout(labelled, [each for each in unlabelled if each.count])

    def _check_labelled(
        self,
        folder: Branch,
        splits: dict[Branch, str],
        labelled: Sequence[Level],
        unlabelled: Sequence[Branch],
    ) -> None:
        """Raises DataError where a split without classes cannot be left out."""
        found = {level.split for level in labelled}
        is_enough = 'train' in found and (len(found) > 1 or self._divides)
        for each in unlabelled:
            if splits[each] != 'train' and each.count and is_enough:
                continue
            path = self._path(each)
            what = f'{path}: is named after a split, but holds no class folders'
            if each.with_images and 'train' in found:
                what = f'{path}: is named after a split, but holds none of the classes in train'
            if 'train' in found and each.count:
                train = next(each for each, split in splits.items() if split == 'train')
                raise DataError(
                    f'{what}, only {pictures(each.count)} without a class; without them: '
                    f'{self._divide(train)}'
                )
            message = f'{what} (expected {path}/CLASS/IMAGE.jpg)'
            if each.count:
                message += f'; it holds {pictures(each.count)}: make folders{OTHER_THAN_FOLDERS}'
            raise DataError(message)

    def _divide(self, train: Branch) -> str:
        """How to use the training images alone."""
        dividing = ' --splits train=0.8,test=0.2' if self._flag == '--dataset_dir' else ''
        return f'{self._flag} {self._path(train)}{dividing}'

    def _check_beside(
        self, folder: Branch, each: Branch, splits: Collection[Branch], classes: Collection[str]
    ) -> None:
        """Raises DataError if a folder beside splits holds what could be classes."""
        within = {name for name, _ in Level(_unwrapped(each, classes)).classes()}
        # One folder that is no class is as good as none: unlabelled/unlabelled/1.jpg.
        if not within or (len(within) == 1 and not within & set(classes)):
            return
        names = ', '.join(split.last_name for split in splits)
        raise DataError(
            f'{self._path(folder)}: holds the splits {names}, and beside them {each.last_name}, '
            f'which is none; move it away'
        )

    def _check_classes(self, levels: Sequence[Level]) -> None:
        """Raises DataError unless the folders of these levels can be nothing but classes."""
        top = levels[0].folder
        if not any(level.folder.folders for level in levels):
            raise DataError(self._no_folders(top))
        # Where a class is certain, by another split or a person's word, it may hold folders alone.
        found = [each for level in levels for each in level.classes()]
        certain = {name for name, each in found if not each.only_folders} | self._known
        deep = [each for name, each in found if name not in certain]
        if deep:
            raise DataError(self._only_folders(deep, bool(levels[0].split)))
        self._check_empty(levels)
        names = {name for name, _ in found}
        if len(names) == 1 and not names & self._known:
            (name,) = names
            raise DataError(
                f'{self._tree.path("")}: holds one class folder alone, {name}: there is nothing to '
                f'tell it from; if that is meant: {self._classes_at(top)}'
            )

    def _check_empty(self, levels: Sequence[Level]) -> None:
        """Raises DataError for a class folder without images, unless another split has some."""
        names = {name for level in levels for name, _ in level.classes()}
        for level in levels:
            for each in level.folder.folders:
                if not each.count and class_name(each) not in names:
                    raise DataError(f'{self._path(each)}: the class folder holds no images')

    def _no_folders(self, folder: Branch) -> str:
        """What to say of a folder without folders."""
        path = self._path(folder)
        message = f'{path}: no class folders (expected {path}/CLASS/IMAGE.jpg)'
        others = [entry.path for _, entry in folder.others if entry.kind == 'image']
        if folder.images:
            tables = [file for file in others if file.lower().endswith('.csv')]
            csv = (
                f', or give a CSV file ({self._flag} {tables[0]})' if tables else OTHER_THAN_FOLDERS
            )
            return f'{message}; it holds {pictures(len(folder.images))} itself: make folders{csv}'
        archives = [os.path.basename(file) for file in others if is_archive(file)]
        return f'{message}; unpack first: {shown(archives)}' if archives else message

    def _only_folders(self, deep: Sequence[Branch], in_splits: bool) -> str:
        """What to say of would-be classes that hold no image themselves."""
        first, several = deep[0], len(deep) > 1
        inside = shown(sorted({each.last_name for branch in deep for each in branch.with_images}))
        names = shown([each.name for each in deep])
        below = self._classes_at(first)
        if not several and not in_splits:
            below = f'{self._flag} {self._path(first)}'
        return (
            f'{self._tree.path("")}: {names} '
            f'{"hold no pictures themselves" if several else "holds no picture itself"}, only the '
            f'folders {inside}: are these the classes ({below}), or {names} '
            f'({self._classes_at(first, levels_up=1)})?'
        )

    def _classes_at(self, folder: Branch, levels_up: int = 0) -> str:
        """The option that makes classes of the folders in this one."""
        level = folder.name.count('/') + 1 + bool(folder.name) - levels_up
        program = '' if self._flag == '--dataset_dir' else 'convert_dataset.py '
        return f'{program}--classes_at {level}'

    def _path(self, folder: Branch) -> str:
        return self._tree.path(folder.name)


def class_name(folder: Branch) -> str:
    """The name of a class; systems write one letter with an accent in two ways, and mean one."""
    return normalize('NFC', folder.last_name)


def shown(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return ', '.join(names[:SHOWN]) + more


def pictures(count: int) -> str:
    """Says how many there are."""
    return '1 picture' if count == 1 else f'{count} pictures'


def _wrapped(folder: Branch) -> Branch | None:
    """The one folder that a folder holds, if it holds folders alone; else None."""
    if folder.images or len(folder.folders) != 1:
        return None
    (inner,) = folder.folders
    return inner if inner.only_folders else None


def _unwrapped(folder: Branch, classes: Collection[str] = ()) -> Branch:
    """The folder within that holds images, more than one folder, or one of these classes."""
    while (inner := _wrapped(folder)) is not None and class_name(inner) not in classes:
        folder = inner
    return folder
