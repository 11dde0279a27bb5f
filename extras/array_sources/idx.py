"""Read IDX files, the format of MNIST: pixels in one file, labels in another."""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from library import files
from library.errors import ConfigError, DataError, ResourceError
from library.preparation.sources.entries import look
from library.preparation.sources.source import Source
from library.records.listing import LabelledImage, Listing

if TYPE_CHECKING:
    # A conversion asks each source whether it fits; only those that do need NumPy.
    import numpy as np

SPLITS = {'train': 'train', 't10k': 'test', 'test': 'test'}

# PREFIX-train-images-idx3-ubyte.gz: the prefix is EMNIST's, the dot what some programs unpack to.
_NAME = re.compile(
    r'(?P<prefix>.+-)?(?P<split>train|t10k|test)-(?P<kind>images|labels)[-.]idx\d-ubyte(\.gz)?'
)

# A line of EMNIST's mapping, such as 1 65 97.
_MAPPED = re.compile(r'(\d{1,3})\s+(\d{1,4})(?:\s+\d{1,4})?')

CHANNELS = 3

# The third byte of a header's four; before it are two zeros, after it the number of dimensions.
UNSIGNED_BYTE = 8

# More than infinite MNIST's 8 million: each takes 300 bytes to list, however small it is.
MAX_IMAGES = 10_000_000

# What is not mapped from a local disk is held in memory.
MAX_IN_MEMORY = 1 << 30

# Deflate makes no more than 1032 bytes of one.
_MAX_RATIO = 1032
_PIECE = 1 << 20


@dataclass(frozen=True)
class _Name:
    """One file's name, split into its parts."""

    file_name: str
    prefix: str
    split: str
    kind: str

    @property
    def stem(self) -> str:
        """Return what all spellings of one file share, such as train-images."""
        return f'{self.prefix}{self.split}-{self.kind}'


class Idx(Source):
    """Read train-images-idx3-ubyte and train-labels-idx1-ubyte, and the same of t10k- or test-.

    Each may end in .gz (the plain one is read where both are there), have a dot before idx, and,
    like EMNIST's, start with the name of a data set, the same for all. Images are grey, [N, height,
    width], or coloured, [N, height, width, 3]. Classes are the numbers that occur as labels; where
    EMNIST's PREFIX-mapping.txt is there, the characters that these stand for.

    Caveat: EMNIST's images lie on their side, as its authors made them; they are not turned.
    """

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return whether this is a folder with a file of images that is so named."""
        try:
            return any(name.kind == 'images' for name in _names_in(dataset_dir))
        # Errors of any kind, local or remote, are reported when the path is read.
        except Exception:
            return False

    def listing(self) -> Listing:
        """List the numbers as class names, and the images as views of their files.

        Raises:
          ConfigError: there is no such folder, no IDX file in it, or those of several data sets.
          DataError: a file is missing, damaged or no IDX file of bytes, or labels are too few.
          ResourceError: there is too little memory for the pixels.
        """
        folder = self.dataset_dir
        try:
            parts = [
                (stem, split, *_read_pair(images, labels))
                for stem, split, images, labels in _pairs(folder)
            ]
            numbers = sorted({int(each) for *_, labels in parts for each in set(labels.tolist())})
            label_of = {number: label for label, number in enumerate(numbers)}
            images = [
                image
                for stem, split, pixels, labels in parts
                for image in _images(stem, split, pixels, [label_of[n] for n in labels.tolist()])
            ]
            names = _mapping(folder)
            class_names = tuple(names.get(number, str(number)) for number in numbers)
            return Listing(class_names, tuple(images), folder=folder)
        except MemoryError:
            raise ResourceError(f'{folder}: the images do not fit into memory') from None


def _mapping(folder: str) -> dict[int, str]:
    """Read what EMNIST's labels stand for: lines of a label and the code of its character.

    A second code is that of the small letter, where both are one class.

    Raises:
      DataError: a line is something else, or two labels stand for one character.
    """
    prefix = _names_in(folder)[0].prefix
    path = files.join(folder, f'{prefix}mapping.txt')
    if not prefix or not files.exists(path):
        return {}
    names: dict[int, str] = {}
    for number, line in enumerate(files.read_bytes(path)[:_PIECE].decode('latin-1').split('\n'), 1):
        if not (match := _MAPPED.fullmatch(line.strip())):
            if line.strip():
                raise DataError(f'{path}: line {number}: not a label and the code of a character')
            continue
        name = chr(int(match[2]))
        if not name.isprintable() or name in names.values():
            raise DataError(
                f'{path}: line {number}: the code {match[2]} is none, or is there twice'
            )
        names[int(match[1])] = name
    return names


def _names_in(folder: str) -> list[_Name]:
    """Find the IDX files in a folder; of one that is there twice the plain one."""
    found: dict[str, _Name] = {}
    # Plain before .gz, for names_in sorts them.
    for file_name in files.names_in(folder):
        match = _NAME.fullmatch(file_name)
        if match and look(files.join(folder, file_name), follow_symlinks=True).kind == 'image':
            name = _Name(file_name, match['prefix'] or '', match['split'], match['kind'])
            found.setdefault(name.stem, name)
    return list(found.values())


def _pairs(folder: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield (stem, split, images' path, labels' path)."""
    if not files.is_folder(folder):
        raise ConfigError(f'{folder}: no such folder (--dataset_dir)')
    names = _names_in(folder)
    if not names:
        raise ConfigError(
            f'{folder}: no IDX files there, such as train-images-idx3-ubyte.gz (--dataset_dir)'
        )
    sets = sorted({name.prefix for name in names})
    if len(sets) > 1:
        shown = ', '.join(f'{each}*' for each in sets[:6])
        raise ConfigError(f'{folder}: holds {len(sets)} data sets ({shown}); keep one in a folder')
    by_part = {(name.split, name.kind): name for name in names}
    splits = [split for split in SPLITS if any(name.split == split for name in names)]
    if {'t10k', 'test'} <= set(splits):
        raise ConfigError(f'{folder}: holds both t10k-* and test-* files; keep one of the two')
    for split in splits:
        images, labels = by_part.get((split, 'images')), by_part.get((split, 'labels'))
        if images is None or labels is None:
            there = next(each for each in names if each.split == split)
            other = 'labels' if images else 'images'
            if qmnist := [n for n in files.names_in(folder) if n.startswith('qmnist-')]:
                raise DataError(
                    f'{folder}: {qmnist[0]} and others are QMNIST, whose labels (idx2-int) are not '
                    f"read; write the first of each label's 8 numbers as labels-idx1-ubyte"
                )
            raise DataError(f'{folder}: {there.file_name} is there, but {split}-{other}-* is not')
        image_path, label_path = (files.join(folder, each.file_name) for each in (images, labels))
        yield images.stem, SPLITS[split], image_path, label_path


def _read_pair(images: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    """Read the pixels and the labels of one split, as many of the one as of the other."""
    found = _read(labels, 'labels')
    pixels = _read(images, 'images')
    if len(pixels) != len(found):
        raise DataError(f'{images}: {len(pixels)} images, but {len(found)} labels in {labels}')
    return pixels, found


def _images(
    stem: str, split: str, pixels: np.ndarray, labels: list[int]
) -> Iterator[LabelledImage]:
    size = math.prod(pixels.shape[1:])
    for index, label in enumerate(labels):
        yield LabelledImage(f'{stem}/{index:08d}', label, pixels[index], size, split)


def _read(path: str, kind: str) -> np.ndarray:
    """Read the array in one file, uint8: mapped where that is possible, otherwise into memory."""
    length = files.size(path)
    with files.open_binary(path) as raw:
        if path.endswith('.gz'):
            return _read_packed(path, raw, length, kind)
        shape, start = _header(path, raw, kind)
        expected = math.prod(shape)
        if length - start != expected:
            raise DataError(
                f'{path}: {length - start} bytes after the header, which promises {expected}'
            )
        if files.is_remote(path):
            return _fill(path, raw, shape)
        import numpy as np

        return np.asarray(np.memmap(path, np.uint8, 'r', start, shape))


def _read_packed(path: str, raw: Any, length: int, kind: str) -> np.ndarray:
    try:
        with gzip.GzipFile(fileobj=raw, mode='rb') as stream:
            shape, _ = _header(path, stream, kind)
            expected = math.prod(shape)
            if expected > length * _MAX_RATIO:
                raise DataError(
                    f'{path}: its {length} bytes cannot hold the {expected} that the header '
                    f'promises'
                )
            return _fill(path, stream, shape)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f'{path}: damaged ({error})') from None


def _header(path: str, file: Any, kind: str) -> tuple[tuple[int, ...], int]:
    """Read the shape that a file promises, and where its content starts."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:3] != bytes([0, 0, UNSIGNED_BYTE]):
        raise DataError(
            f'{path}: not an IDX file of unsigned bytes (starts with {magic.hex(" ") or "nothing"})'
        )
    count = magic[3]
    if count not in ((3, 4) if kind == 'images' else (1,)):
        expected = '3, or 4 with colours' if kind == 'images' else '1'
        raise DataError(f'{path}: {count} dimensions, but {kind} have {expected}')
    sizes = file.read(4 * count)
    if len(sizes) < 4 * count:
        raise DataError(f'{path}: cut off in the header')
    shape = struct.unpack(f'>{count}I', sizes)
    if not all(shape) or shape[0] > MAX_IMAGES or (count == 4 and shape[3] != CHANNELS):
        expected = ', '.join(['N', 'height', 'width', str(CHANNELS)][:count])
        raise DataError(
            f'{path}: the shape is {list(shape)}, not [{expected}] with N from 1 to {MAX_IMAGES}'
        )
    return shape, 4 + 4 * count


def _fill(path: str, file: BinaryIO | gzip.GzipFile, shape: tuple[int, ...]) -> np.ndarray:
    """Read the content into memory; it must end where the header says."""
    import numpy as np

    expected = math.prod(shape)
    if expected > MAX_IN_MEMORY:
        raise DataError(
            f'{path}: {expected} bytes are too many to hold in memory; put it, unpacked, on a '
            f'local disk'
        )
    # Memory is taken only as it is filled: the header may lie.
    content, filled = np.empty(expected, np.uint8), 0
    while data := file.read(min(_PIECE, expected + 1 - filled)):
        if filled + len(data) > expected:
            raise DataError(f'{path}: more than the {expected} bytes that the header promises')
        content[filled : filled + len(data)] = np.frombuffer(data, np.uint8)
        filled += len(data)
    if filled < expected:
        raise DataError(f'{path}: {filled} bytes after the header, which promises {expected}')
    return content.reshape(shape)
