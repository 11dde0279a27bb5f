"""Grow folders of pictures by a grammar, with what should be read from them."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

# The words of a split, and what else stands in a folder's name.
WORDS = {
    'train': ('train', 'training'),
    'validation': ('val', 'valid', 'validation', 'dev', 'eval'),
    'test': ('test', 'testing'),
}
WRITINGS = (str.lower, str.upper, str.title)
FRAMES = ('{}', 'plants_{}', '{}_images', '{}2017', 'my-{}-set', 'set.{}', '{} data', '{}Photos')

WRAPPERS = ('archive', 'photos (1)', 'v1.0', 'data', 'dataset-master', 'export')
CLASSES = ('rose', 'tulip', 'oak tree', 'Birch', 'élan', 'größe', 'train_station', 'bus', '3d')
TOOLS = ('@eaDir/{}/SYNOPHOTO_THUMB_M.jpg', '__MACOSX/._{}', '.ipynb_checkpoints/{}', '.DS_Store')
MORE_TOOLS = ('lost+found/1.jpg', '$RECYCLE.BIN/S-1-5/2.jpg', 'Thumbs.db', '._{}')


@dataclass
class Tree:
    """What a grown folder holds.

    Attributes:
      images: how many each split ('' for none) and class have.
      tools: how many files of other programs lie among them.
      containers: folders whose folders are classes, below the root; '' is the root.
    """

    images: Counter[tuple[str, str]] = field(default_factory=Counter)
    tools: int = 0
    containers: list[str] = field(default_factory=list)

    @property
    def class_names(self) -> set[str]:
        return {name for _, name in self.images}


def grow(root: Path, seed: int) -> Tree:
    """Write one tree: wrappers, splits or none, wrappers within them, classes, images, tools."""
    choose, tree = random.Random(seed), Tree()
    names = _class_names(choose)
    top = _wrapped(root, choose)
    splits = _splits(choose)
    for split, folder in splits.items():
        inside = top / folder
        if folder:
            inside = choose.choice([inside, inside / folder, _wrapped(inside, choose)])
        tree.containers.append('' if inside == root else str(inside.relative_to(root)))
        for number, name in enumerate(names):
            # A class may lack pictures where another split has some.
            count = 0 if number and split not in ('', 'train') and choose.random() < 0.2 else 2
            _write_class(inside / _written(name, choose), count, choose, tree)
            tree.images[split, name] += count
    for folder in {root, top, *(root / each for each in tree.containers)}:
        _write_tools(folder, choose, tree)
    return tree


def _class_names(choose: random.Random) -> list[str]:
    if choose.random() < 0.3:
        return [str(number) for number in range(choose.randint(2, 12))]
    return choose.sample(CLASSES, choose.randint(2, 5))


def _wrapped(folder: Path, choose: random.Random) -> Path:
    for _ in range(choose.choice([0, 0, 1, 2])):
        folder /= choose.choice(WRAPPERS)
    return folder


def _splits(choose: random.Random) -> dict[str, str]:
    wanted = choose.choice([[], ['train', 'test'], ['train', 'validation'], list(WORDS)])
    writing, frame = choose.choice(WRITINGS), choose.choice(FRAMES)
    return {split: frame.format(writing(choose.choice(WORDS[split]))) for split in wanted} or {
        '': ''
    }


def _written(name: str, choose: random.Random) -> str:
    return unicodedata.normalize(choose.choice(['NFC', 'NFD']), name)


def _write_class(folder: Path, count: int, choose: random.Random, tree: Tree) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f'{number}.jpg').write_bytes(b'x')
    if count and choose.random() < 0.3:
        (folder / 'camera 2').mkdir()
        (folder / f'{count - 1}.jpg').rename(folder / 'camera 2' / '0.jpg')
    _write_tools(folder, choose, tree)


def _write_tools(folder: Path, choose: random.Random, tree: Tree) -> None:
    for pattern in choose.sample([*TOOLS, *MORE_TOOLS], choose.choice([0, 0, 1, 3])):
        path = folder / pattern.format('0.jpg')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x')
        tree.tools += 1
