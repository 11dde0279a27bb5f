"""Names of folders to splits, where the folders beside them agree.

A word within a name is enough (seg_train, train2017), but never for a folder alone: a class may be
called train_station.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from library.errors import DataError
from library.preparation.sources.class_names import HUMPS
from library.preparation.sources.entries import Entry, short_names
from library.preparation.sources.tree import Branch
from library.records.listing import SPLIT_NAMES

# What is written in one word with a split, as in trainset.
_SUFFIX = re.compile(r'(sets?|data|images?|imgs?|pics?|pictures?|photos?|split|folder|dir)$')


class Word(NamedTuple):
    """The split that a folder's name tells, and what else is in the name; '' for nothing."""

    split: str
    rest: str


def split_word(name: str) -> Word | None:
    """Find the one split that a name tells, by its words: letters that a capital begins, digits.

    What trains and validates, as trainval does, is there to train on.
    """
    rest, splits = [], set()
    for token in re.findall(r'[^\W\d_]+|\d+', HUMPS.sub(' ', name)):
        word = token.lower()
        bare = _SUFFIX.sub('', word)
        if word == 'trainval':
            splits.add('train')
        elif word in SPLIT_NAMES or bare in SPLIT_NAMES:
            splits.add(SPLIT_NAMES.get(word) or SPLIT_NAMES[bare])
            rest += [word[len(bare) :]] * (word not in SPLIT_NAMES)
        else:
            rest.append(word)
    if splits == {'train', 'validation'}:
        splits = {'train'}
    return Word(splits.pop(), ' '.join(rest)) if len(splits) == 1 else None


def split_folders(folder: Branch) -> dict[Branch, str]:
    """Find the folders in it that are splits, and which; {} where none are.

    Folders are splits if all that hold images are named after different ones; else those whose
    names are nothing but a split, or the same but for the split, if there are several. One alone is
    a split if its name is nothing else and it holds folders alone.

    Two folders may be named after one split: then it is not certain that they are that.
    """
    words = {
        each: word
        for each in folder.folders
        if (word := split_word(each.last_name)) and (each.count or not word.rest)
    }
    words = _without_empty_twins(words)
    exact = [each for each, word in words.items() if not word.rest]
    rests = sorted({word.rest for word in words.values() if word.rest})
    alike = [[each for each, word in words.items() if word.rest == rest] for rest in rests]
    everything = list(words) if set(folder.with_images) <= set(words) else []
    likely = [each for each in (everything, exact, *alike) if _are_splits(each, folder, words)]
    several = [{each: words[each].split for each in group} for group in likely]
    different = (each for each in several if len(set(each.values())) == len(each))
    twice = (each for each, group in zip(several, likely, strict=True) if group not in alike)
    return next(different, None) or next(twice, {})


class PathSplits(NamedTuple):
    """The splits that paths tell.

    Attributes:
      common: the folders that all paths begin with, each with '/' behind.
      of_folder: the folder below to its split; {} where no folders are splits.
    """

    common: str
    of_folder: dict[str, str]

    def split(self, path: str) -> str:
        """Return the split of a path, '' if it lies in none."""
        if not path.startswith(self.common):
            return ''
        folder, slash, _ = path[len(self.common) :].partition('/')
        return self.of_folder.get(folder, '') if slash else ''

    def without(self, path: str) -> str:
        """Return a path without the folder that is a split, if it lies in one."""
        return path[len(self.common) :].partition('/')[2] if self.split(path) else path


def splits_of_paths(paths: Iterable[str]) -> PathSplits:
    """Find the splits among the folders of paths, as `split_folders` does; one alone is none."""
    folders = {posixpath.dirname(path) for path in paths}
    common = posixpath.commonpath(folders) if folders else ''
    common += '/' * bool(common)
    top = Branch('')
    for name in sorted({f'{each}/'[len(common) :].partition('/')[0] for each in folders} - {''}):
        top.folders.append(Branch(name, [(name, Entry(name, 'image'))]))
    found = {each.name: split for each, split in split_folders(top).items()}
    return PathSplits(common, found if len(set(found.values())) > 1 else {})


def splits_of_files(paths: Sequence[str]) -> dict[str, str]:
    """Return the split that each file is named after; none where not several are.

    The words in its name count, and in those of the folders that not all of them lie in.

    Raises:
      DataError: some do, and others do not.
    """
    splits: dict[str, str] = {}
    for path, name in short_names(paths).items():
        words = re.split(r'[^a-z]+', name.lower())
        named = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
        if len(named) == 1:
            splits[path] = named.pop()
    if splits and len(splits) < len(paths):
        other = next(path for path in paths if path not in splits)
        raise DataError(
            f'{next(iter(splits))} names a split and {other} does not: give the files of each '
            f"alone (--dataset_dir 'DIR/train*' --tfrecord_filename train)"
        )
    return splits if len(set(splits.values())) > 1 else {}


def _without_empty_twins(words: dict[Branch, Word]) -> dict[Branch, Word]:
    """Without an empty validation/ beside val/, as a conversion leaves that was killed."""
    splits = [word.split for word in words.values()]
    return {
        each: word
        for each, word in words.items()
        if not (each.is_empty and splits.count(word.split) > 1)
    }


def _are_splits(group: Sequence[Branch], folder: Branch, words: dict[Branch, Word]) -> bool:
    """True if the names of these folders mean splits, apart from naming one of them twice."""
    splits = {words[each].split for each in group}
    if len(splits) > 1:
        return 'train' in splits or not any(words[each].rest for each in group)
    if len(group) == 1:
        alone = folder.with_images == list(group) and not folder.images
        return alone and group[0].only_folders and not words[group[0]].rest
    # Several folders of one split alone: only where nothing else can be meant.
    return bool(group) and not any(words[each].rest or each.images for each in group)
