"""A folder's levels to classes and splits, before an image is listed.

The classes are the folders of one level that hold images themselves. Above it may be folders of
splits, and folders that hold nothing but the next one. What could be read in two ways is refused,
with the option that says which is meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from unicodedata import normalize

from library import files
from library.errors import DataError
from library.preparation.labels import spellings
from library.preparation.sources.class_names import are_no_classes
from library.preparation.sources.other_classes import contradicting
from library.preparation.sources.refusals import Refusals, shown
from library.preparation.sources.split_words import split_folders
from library.preparation.sources.tree import Branch, Tree
from library.records.listing import SPLIT_NAMES


@dataclass(eq=False)
class Level:
    """A folder whose folders are classes, and the split that it is ('' for none)."""

    folder: Branch
    split: str = ''

    def classes(self) -> Iterator[tuple[str, Branch]]:
        """Yield the name of each class here that has images, and its folder."""
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
        """Say which folders were taken for classes; '' for plain CLASS or SPLIT/CLASS."""
        if all(level.folder.name.lower() in ('', *SPLIT_NAMES) for level in self.levels):
            return ''
        places = [
            f'{f"{level.split} = " * bool(level.split)}{files.join(level.folder.name, "CLASS")}'
            for level in self.levels
        ]
        return shown(places)


class Reader:
    """Reads the layout of a tree.

    What it refuses it says with the way on, in the words of the program that asked.
    """

    def __init__(self, tree: Tree, flag: str, known: Collection[str], divides: bool):
        """Keep what is needed beside the folders.

        Args:
          tree: the folders.
          flag: the option that the root was given as.
          known: names of classes that a person gave; one of them alone is a data set.
          divides: the training images will be divided, so there need not be another split.
        """
        self._tree = tree
        self._refusals = Refusals(tree, flag)
        self._known = {normalize('NFC', each) for each in known}
        self._divides = divides

    def read(self) -> Layout:
        """Find the classes.

        Raises:
          DataError: there are none, or it is not certain which folders they are.
        """
        folder = self._tree.root
        while not (splits := split_folders(folder)):
            if (inner := _wrapped(folder, self._known)) is None:
                self._check_classes([Level(folder)])
                return Layout([Level(folder)])
            folder = inner
        if len(set(splits.values())) < len(splits):
            raise DataError(self._refusals.one_split_twice(folder, splits))
        return self._divided(folder, splits)

    def read_at(self, depth: int) -> Layout:
        """Take the folders of one level for classes; those above it may be splits.

        Args:
          depth: 1 for the folders in the root.

        Raises:
          DataError: there is no folder with images there.
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
            raise DataError(self._refusals.no_level(depth))
        # Where a split has none of the classes to train on, its folders are none: test/images.
        trained = {
            name for level in levels if level.split == 'train' for name, _ in level.classes()
        }
        held: dict[str, set[str]] = {}
        for level in levels:
            held.setdefault(level.split, set()).update(name for name, _ in level.classes())
        others = {split for split, names in held.items() if trained and not names & trained}
        return Layout(
            [level for level in levels if level.split not in others],
            [level.folder for level in levels if level.split in others and level.folder.count],
        )

    def _divided(self, folder: Branch, splits: dict[Branch, str]) -> Layout:
        """Return the classes within splits, each of which may hold them in a folder of its own."""
        train = next((each for each, split in splits.items() if split == 'train'), None)
        trained: set[str] = set()
        if train:
            trained = {name for name, _ in Level(_unwrapped(train, self._known)).classes()}
        levels = {
            each: Level(_unwrapped(each, trained or self._known), split)
            for each, split in splits.items()
        }
        self._check_spelling(list(levels.values()))
        labelled, unlabelled = [], []
        for each, level in levels.items():
            found = {name for name, _ in level.classes()}
            # Where none is a class to train on, they are no classes, as in test/test/1.jpg.
            if found and (not trained or trained & found):
                labelled.append(level)
            else:
                unlabelled.append(each)
        self._check_left_out(splits, labelled, unlabelled)
        classes = {name for level in labelled for name, _ in level.classes()}
        for each in folder.with_images:
            if each not in splits:
                within = {name for name, _ in Level(_unwrapped(each, classes)).classes()}
                # One folder that is no class is as good as none: unlabelled/unlabelled/1.jpg.
                if len(within) > 1 or within & classes:
                    raise DataError(self._refusals.beside_splits(folder, splits, each))
                unlabelled.append(each)
        self._check_classes(labelled)
        return Layout(labelled, [each for each in unlabelled if each.count])

    def check_tables(self, layout: Layout, class_of: Mapping[str, str]) -> None:
        """Raise DataError where a table beside the folders puts the images into other classes.

        Args:
          layout: as it was read.
          class_of: the class of each image by its path below the root.
        """
        folder = layout.levels[0].folder
        for table, classes in contradicting(self._tree.tables_above(folder), class_of):
            raise DataError(self._refusals.other_classes(folder, table, classes))

    def _check_left_out(
        self, splits: dict[Branch, str], labelled: Sequence[Level], unlabelled: Sequence[Branch]
    ) -> None:
        """Raise DataError where a split without classes cannot be left out."""
        found = {level.split: level.folder for level in labelled}
        is_enough = 'train' in found and (len(found) > 1 or self._divides)
        # What is to be trained on first: of the others only that is said then.
        for each in sorted(unlabelled, key=lambda each: splits[each] != 'train'):
            if splits[each] == 'train' or not each.count or not is_enough:
                raise DataError(self._refusals.no_classes(each, found.get('train')))

    def _check_spelling(self, levels: Sequence[Level]) -> None:
        """Raise DataError where splits write a class differently, such as train/Cat, test/cat."""
        folders: dict[str, list[tuple[str, Branch]]] = {}
        for level in levels:
            for name, each in level.classes():
                folders.setdefault(name, []).append((level.split, each))
        for names in spellings(folders):
            splits = [split for name in names for split, _ in folders[name]]
            # A split that has both tells them apart.
            if len(splits) == len(set(splits)):
                raise DataError(self._refusals.two_spellings([folders[n][0][1] for n in names]))

    def _check_classes(self, levels: Sequence[Level]) -> None:
        """Raise DataError unless the folders of these levels can be nothing but classes."""
        top = levels[0].folder
        if not any(level.folder.folders for level in levels):
            raise DataError(self._refusals.no_folders(top))
        # Where a class is certain, by another split or a person's word, it may hold folders alone.
        found = [each for level in levels for each in level.classes()]
        certain = {name for name, each in found if not each.only_folders} | self._known
        deep = [each for name, each in found if name not in certain]
        names = {name for name, _ in found}
        if deep:
            raise DataError(self._refusals.only_folders(deep, names, bool(levels[0].split)))
        self._check_empty(levels)
        if are_no_classes(names) and not names & self._known:
            raise DataError(self._refusals.no_class_names(levels[0].folder, found[0][1]))
        if len(names) == 1 and not names & self._known:
            raise DataError(self._refusals.one_class(top, found[0][1]))

    def _check_empty(self, levels: Sequence[Level]) -> None:
        """Raise DataError for a class folder without images, unless another split has some."""
        names = {name for level in levels for name, _ in level.classes()}
        for level in levels:
            for each in level.folder.folders:
                if not each.count and class_name(each) not in names:
                    raise DataError(self._refusals.empty_class(each, len(names) > 1))


def class_name(folder: Branch) -> str:
    """Return the name of a class; systems write an accented letter in two ways, and mean one."""
    return normalize('NFC', folder.last_name)


def _wrapped(folder: Branch, classes: Collection[str]) -> Branch | None:
    """Return the one folder in a folder, if it holds folders alone and is no class; else None."""
    if folder.images or len(folder.folders) != 1:
        return None
    (inner,) = folder.folders
    return inner if inner.only_folders and class_name(inner) not in classes else None


def _unwrapped(folder: Branch, classes: Collection[str]) -> Branch:
    """Return the folder within that holds images, more than one folder, or one of these classes."""
    while (inner := _wrapped(folder, classes)) is not None:
        folder = inner
    return folder
