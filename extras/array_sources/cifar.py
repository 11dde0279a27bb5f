"""Read CIFAR-10 and CIFAR-100, their Python version, as downloaded or unpacked."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from extras.array_sources.archive import read_members
from extras.array_sources.unpickling import RefusedPickle, unpickle
from library import files
from library.errors import ConfigError, DataError, ResourceError
from library.preparation.sources.entries import look
from library.preparation.sources.source import Source
from library.records.listing import LabelledImage, Listing

if TYPE_CHECKING:
    # A conversion asks each source whether it fits; only those that do need NumPy.
    import numpy as np

EDGE, CHANNELS = 32, 3
IMAGE_BYTES = EDGE * EDGE * CHANNELS

# The largest file, CIFAR-100's train, has 155 MB; written again by Python 3, 233 MB.
MAX_FILE_BYTES = 1 << 28

# Of the name of an image or a class.
MAX_NAME = 200


class _Cifar(Source):
    """Shared by both data sets: pickled batches, and a separate file of class names.

    Attributes:
      TITLE: of the data set.
      ARCHIVE, FOLDER: its names as downloaded, and unpacked.
      META, NAMES: the file with the class names, and their key in it.
      LABELS: the key of the labels in a batch.
      BATCHES: the files with images, each with its split.
    """

    TITLE: ClassVar[str]
    ARCHIVE: ClassVar[str]
    FOLDER: ClassVar[str]
    META: ClassVar[str]
    NAMES: ClassVar[str]
    LABELS: ClassVar[str]
    BATCHES: ClassVar[dict[str, str]]

    @classmethod
    def fits(cls, dataset_dir: str) -> bool:
        """Return whether this is the archive, its folder, or a folder with one of the two."""
        try:
            return cls._place(dataset_dir) is not None
        # Errors of any kind, local or remote, are reported when the path is read.
        except Exception:
            return False

    def listing(self) -> Listing:
        """List the class names, and the images as views of their batches.

        Raises:
          ConfigError: there is no such path, or nothing of this data set.
          DataError: a batch is missing, damaged, or holds something else than images and labels.
          ResourceError: there is too little memory for the pixels.
        """
        path = self.dataset_dir
        place = self._place(path)
        if place is None and not files.exists(path):
            raise ConfigError(f'{path}: no such file or folder (--dataset_dir)')
        if place is None:
            wanted = f'neither {self.ARCHIVE} nor {self.FOLDER}'
            raise ConfigError(f'{path}: no {self.TITLE} there, {wanted} (--dataset_dir)')
        try:
            return self._listing(place)
        except MemoryError:
            raise ResourceError(f'{place}: the images do not fit into memory') from None

    def split(self, batch: str, index: int, count: int) -> str:
        """Return the split of one of the `count` images of a batch."""
        return self.BATCHES[batch]

    def _listing(self, place: str) -> Listing:
        needed = (self.META, *self.BATCHES)
        found = {
            name: _unpickled(files.join(place, name), content)
            for name, content in self._contents(place, needed)
        }
        missing = [name for name in needed if name not in found]
        if missing:
            raise DataError(
                f'{place}: {", ".join(missing)} missing ({self.TITLE} is {", ".join(needed)})'
            )
        class_names = self._class_names(files.join(place, self.META), found[self.META])
        images = [
            image
            for name in self.BATCHES
            for image in self._images(files.join(place, name), name, found[name], class_names)
        ]
        return Listing(class_names, tuple(images), folder=place)

    @classmethod
    def _place(cls, path: str) -> str | None:
        """Find the archive or the folder of batches that is meant; None where there is neither."""
        name = os.path.basename(path.rstrip('/'))
        if not files.is_folder(path):
            is_archive = name == cls.ARCHIVE and files.exists(path) and _is_file(path)
            return path if is_archive else None
        names = set(files.names_in(path))
        own = names.intersection((cls.META, *cls.BATCHES))
        # Folders of images may be called train and test too.
        if sum(_is_file(files.join(path, each)) for each in own) > 1:
            return path
        folder, archive = files.join(path, cls.FOLDER), files.join(path, cls.ARCHIVE)
        if cls.FOLDER in names and files.is_folder(folder):
            return folder
        if cls.ARCHIVE in names and _is_file(archive):
            return archive
        return path if name == cls.FOLDER else None

    def _contents(self, place: str, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (name, content) of those files that are there."""
        if not files.is_folder(place):
            yield from read_members(place, self.FOLDER, names, MAX_FILE_BYTES)
            return
        for name in sorted(set(names).intersection(files.names_in(place))):
            path = files.join(place, name)
            entry = look(path, follow_symlinks=True)
            if entry.size > MAX_FILE_BYTES:
                raise DataError(f'{path}: {entry.size} bytes are more than any batch has')
            if entry.kind == 'image':
                yield name, files.read_bytes(path)

    def _class_names(self, path: str, meta: dict[str, Any]) -> tuple[str, ...]:
        names = tuple(map(_text, _list(path, meta, self.NAMES)))
        if not names or len(set(names)) < len(names) or not all(map(_is_printable, names)):
            raise DataError(f'{path}: {self.NAMES!r} are not the names of classes')
        return names

    def _images(
        self, path: str, name: str, values: dict[str, Any], class_names: tuple[str, ...]
    ) -> Iterator[LabelledImage]:
        parts = _batch(path, values, self.LABELS, len(class_names))
        for index, (pixels, label, filename) in enumerate(zip(*parts, strict=True)):
            split = self.split(name, index, len(parts[0]))
            yield LabelledImage(f'{name}/{filename}', label, pixels, IMAGE_BYTES, split)


class Cifar10(_Cifar):
    """Read CIFAR-10: four batches to train, the fifth for validation, and the test batch."""

    TITLE = 'CIFAR-10'
    ARCHIVE = 'cifar-10-python.tar.gz'
    FOLDER = 'cifar-10-batches-py'
    META = 'batches.meta'
    NAMES = 'label_names'
    LABELS = 'labels'
    BATCHES: ClassVar = {
        'data_batch_1': 'train',
        'data_batch_2': 'train',
        'data_batch_3': 'train',
        'data_batch_4': 'train',
        'data_batch_5': 'validation',
        'test_batch': 'test',
    }


class Cifar100(_Cifar):
    """Read CIFAR-100 by its 100 fine labels; the 20 coarse ones are not used.

    The last fifth of the training images is for validation.
    """

    TITLE = 'CIFAR-100'
    ARCHIVE = 'cifar-100-python.tar.gz'
    FOLDER = 'cifar-100-python'
    META = 'meta'
    NAMES = 'fine_label_names'
    LABELS = 'fine_labels'
    BATCHES: ClassVar = {'train': 'train', 'test': 'test'}

    def split(self, batch: str, index: int, count: int) -> str:
        """Return the batch's split, and `validation` for the last fifth of train."""
        return 'validation' if batch == 'train' and index >= count * 4 // 5 else batch


def _is_file(path: str) -> bool:
    """Return whether what is there is a regular file, which opens at once."""
    return look(path, follow_symlinks=True).kind == 'image'


def _unpickled(path: str, content: bytes) -> dict[str, Any]:
    try:
        value = unpickle(content)
    except RefusedPickle as refused:
        raise DataError(f'{path}: {refused}') from None
    if not isinstance(value, dict):
        raise DataError(f'{path}: the pickle holds a {type(value).__name__}, not a dict')
    return {_text(key): item for key, item in value.items()}


def _batch(
    path: str, values: dict[str, Any], labels_key: str, classes: int
) -> tuple[np.ndarray, list[int], list[str]]:
    """Return pixels, uint8 [N, 32, 32, 3], N labels and N names of one batch, once they fit."""
    import numpy as np

    data = values.get('data')
    if not isinstance(data, np.ndarray):
        raise DataError(f"{path}: holds no array 'data'")
    if data.ndim != 2 or data.shape[1] != IMAGE_BYTES:
        raise DataError(f"{path}: 'data' is {list(data.shape)}, expected [N, {IMAGE_BYTES}]")
    labels = _list(path, values, labels_key)
    if len(labels) != len(data):
        raise DataError(f'{path}: {len(data)} images, but {len(labels)} labels')
    for index, label in enumerate(labels):
        if type(label) is not int:
            raise DataError(f'{path}: the label of image {index} is not a whole number')
        if not 0 <= label < classes:
            raise DataError(
                f'{path}: label {str(label)[:20]} of image {index} is out of range: there are '
                f'{classes} classes, 0 to {classes - 1}'
            )
    # A row is all red values, then all green, then all blue.
    pixels = data.reshape(-1, CHANNELS, EDGE, EDGE).transpose(0, 2, 3, 1)
    return pixels, labels, _filenames(values.get('filenames'), len(labels))


def _filenames(given: object, count: int) -> list[str]:
    """Return the batch's names of its images; numbers where one is missing, odd or there twice."""
    names = given if isinstance(given, list) and len(given) == count else [None] * count
    unique: dict[str, None] = {}
    for index, name in enumerate(map(_text, names)):
        number = f'{index:08d}'
        if not _is_printable(name) or '/' in name:
            name = number
        while name in unique:
            name = f'{number}-{name}'
        unique[name] = None
    return list(unique)


def _list(path: str, values: dict[str, Any], key: str) -> list[Any]:
    if not isinstance(values.get(key), list):
        raise DataError(f'{path}: holds no list {key!r}')
    return values[key]


def _text(value: object) -> str:
    """Return a text of Python 2 or 3; '' for anything else."""
    if isinstance(value, bytes):
        return value.decode('latin-1')
    return value if isinstance(value, str) else ''


def _is_printable(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME and name.isprintable()
