"""Read a folder of images whose classes stand in the names of the files, such as cat.0.jpg."""

from __future__ import annotations

import re
from collections import Counter
from shlex import quote
from typing import NamedTuple
from unicodedata import normalize

from library import files
from library.errors import ConfigError, DataError
from library.preparation.image_files import ending_of
from library.preparation.labels import told_spellings
from library.preparation.sources.entries import Entry
from library.preparation.sources.refusals import pictures, shown, told_endings
from library.preparation.sources.remarks import class_remarks, other_names
from library.preparation.sources.source import Source
from library.preparation.sources.split_words import split_folders, split_word
from library.preparation.sources.tree import Branch, Tree
from library.records.listing import LabelledImage, Listing, Remark, Unusable


class _Named(NamedTuple):
    """An image with the class in its name, '' where the expression finds none."""

    class_name: str
    filename: str
    entry: Entry


class NamedFiles(Source):
    """Read the images below a folder, each with the class that a regular expression finds.

    Folders that are named after splits are splits.
    """

    own_flags = ('label_from_name',)

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return False: --label_from_name asks for this source."""
        return False

    def listing(self) -> Listing:
        r"""Return the images below the folder, and their classes in the order of the names.

        The class is the first group of --label_from_name that takes part in the match, otherwise
        the match; it is searched in each path below the folder, or below the folder of its split.

        Raises:
          ConfigError: there is no such folder, or the expression is none, or matches no path.
          DataError: there are no images, or the expression does not match some of them, or it is
            not certain which folders are splits.
        """
        root, expression = self.dataset_dir, self._expression()
        if not files.is_folder(root):
            raise ConfigError(f'{root}: no such folder (--dataset_dir)')
        tree = Tree(root, self.output, self.options.follow_symlinks)
        if not tree.root.count:
            raise DataError(f'{root}: holds no images{_only_others(tree.root)}')
        branches = _branches(tree)
        named = {
            branch: [
                _Named(_class_of(expression, filename, branch), filename, entry)
                for filename, entry in tree.images_below(branch)
            ]
            for branch in branches
        }
        left_out = self._left_out(tree, branches, named)
        found = [
            (split, each)
            for branch, split in branches.items()
            if branch not in left_out
            for each in named[branch]
        ]
        unnamed = [each.filename for _, each in found if not each.class_name]
        if unnamed:
            kind = ConfigError if len(unnamed) == len(found) else DataError
            raise kind(
                f'{root}: --label_from_name {expression.pattern} does not match {len(unnamed)} of '
                f'{len(found)} names, such as {unnamed[0]}'
            )
        class_names = sorted({each.class_name for _, each in found})
        labels = {name: label for label, name in enumerate(class_names)}
        images = tuple(
            LabelledImage(
                each.filename,
                labels[each.class_name],
                each.entry.path if each.entry.kind == 'image' else Unusable(each.entry.reason),
                each.entry.size,
                split,
            )
            for split, each in found
        )
        spelled = told_spellings(root, ((each.class_name, split) for split, each in found))
        whole = {root: [tree.root]}
        remarks = [
            *map(Remark, spelled),
            *class_remarks(whole),
            *(Remark(f'warning: {text}') for text in left_out.values()),
            *map(Remark, tree.skipped.told()),
        ]
        ignored = sorted([*other_names(whole), *tree.skipped.names, *left_out.values()])
        return Listing(tuple(class_names), images, tuple(ignored), root, tuple(remarks))

    def _expression(self) -> re.Pattern[str]:
        pattern = self.options.label_from_name
        if pattern is None:
            raise ConfigError('--label_from_name is missing (see --help)')
        try:
            return re.compile(pattern)
        except re.error as error:
            raise ConfigError(f'--label_from_name {pattern}: {error}') from None

    def _left_out(
        self, tree: Tree, branches: dict[Branch, str], named: dict[Branch, list[_Named]]
    ) -> dict[Branch, str]:
        """Find the splits without any of the classes to train on, and say so of each.

        Raises:
          DataError: without them there is nothing to evaluate on.
        """
        classes = {branch: {each.class_name for each in named[branch]} for branch in branches}
        train = next((each for each, split in branches.items() if split == 'train'), None)
        trained = classes[train] - {''} if train else set()
        if not train or not trained:
            return {}
        others = [each for each in branches if each.count and not classes[each] & trained]
        # Who trains on a folder needs no other split of it.
        divides = bool(self.output.splits) or self.flag == '--train_metadata'
        if others and not divides and len(others) == len(branches) - 1:
            raise DataError(
                f'{tree.path(others[0].name)}: no name has one of the classes in {train.name}; '
                f'without it: {self.flag} {quote(tree.path(train.name))}'
            )
        return {
            each: f'{each.name}: {pictures(each.count)} without a class that '
            f'{train.name} has, left out'
            for each in others
        }


def _branches(tree: Tree) -> dict[Branch, str]:
    """Find the folders of splits, within folders that hold nothing else; or take all as one.

    Raises:
      DataError: images lie beside them, or a split has two folders.
    """
    top = tree.root
    while not (splits := split_folders(top) or _exact_splits(top)):
        if top.images or len(top.with_images) != 1:
            return {tree.root: ''}
        (top,) = top.with_images
    names = shown([each.last_name for each in splits])
    beside = [each.last_name for each in top.with_images if each not in splits]
    beside += [pictures(len(top.images))] if top.images else []
    if beside or len(set(splits.values())) < len(splits):
        what = f'and beside them {shown(beside)}' if beside else 'two of which are one'
        raise DataError(
            f'{tree.path(top.name)}: holds the splits {names}, {what}; give the folder of one '
            f'split alone, or move the others away'
        )
    return splits


def _exact_splits(folder: Branch) -> dict[Branch, str]:
    """Find folders called as nothing but splits are: no folder is a class here."""
    words = {each: split_word(each.last_name) for each in folder.with_images}
    return {each: word.split for each, word in words.items() if word and not word.rest}


def _class_of(expression: re.Pattern[str], filename: str, branch: Branch) -> str:
    """Return the class in a path below a folder; '' if there is none."""
    match = expression.search(filename[len(branch.name) + 1 :] if branch.name else filename)
    if match is None:
        return ''
    found = next((each for each in match.groups() if each), '') if match.groups() else match[0]
    return normalize('NFC', found)


def _only_others(folder: Branch) -> str:
    endings = Counter(ending_of(name) for each in folder.all() for name, _ in each.others)
    return f', only {told_endings(endings)}' if endings else ''
