"""Read WebDataset tars: NAME.jpg beside NAME.cls or NAME.json, in one file or in many shards.

Nothing is unpacked: an image stays the part of the tar that it is, and is read from there.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from library import files
from library.errors import ConfigError, DataError
from library.preparation.formats import IMAGE_ENDINGS
from library.preparation.image_files import has_image_ending
from library.preparation.labels import sorted_names, told_spellings
from library.preparation.sources.columns import LABEL_COLUMNS, known_column
from library.preparation.sources.entries import short_names
from library.preparation.sources.several_labels import BETWEEN, ONE_CLASS
from library.preparation.sources.source import Source
from library.preparation.sources.split_words import splits_of_files
from library.records.listing import LabelledImage, Listing, Part, Remark

# shard-{000..009}.tar stands for ten files, {train,val}.tar for two, and * ? [ for what is there.
_RANGE, _LIST = re.compile(r'\{(\d+)\.\.(\d+)\}'), re.compile(r'\{([^{}]*,[^{}]*)\}')
_WILD = re.compile(r'[*?[]')
MAX_SHARDS = 100_000
# What holds a class: a number or a name alone, or an object with one.
CLASS, OBJECT = '.cls', '.json'
MAX_LABEL_BYTES = 1 << 20
COMPRESSED = ('.tar.gz', '.tgz')
# Members of a tar that show whether it is a WebDataset.
FIRST_MEMBERS = 20


@dataclass
class _Sample:
    """The members of one name, as they are met."""

    images: list[tuple[str, Part]] = field(default_factory=list)
    class_name: str = ''


class WebDataset(Source):
    """Read a tar, those of a folder, or those that a pattern like shard-{000..009}.tar means."""

    own_flags = ('label_column',)

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return True for a .tar with classes among its first members, or tars of which one is.

        A pattern of tars that are not there is one too.
        """
        if files.is_folder(dataset_dir):
            tars = _tars_in(dataset_dir)
            return bool(tars) and _holds_classes(tars[0])
        if dataset_dir.lower().endswith(COMPRESSED):
            return files.exists(dataset_dir) and _holds_classes(dataset_dir)
        if not dataset_dir.lower().endswith('.tar'):
            return False
        first = next(_expanded(dataset_dir), dataset_dir)
        if not files.exists(first):
            return first != dataset_dir or bool(_WILD.search(dataset_dir))
        return not files.is_folder(first) and _holds_classes(first)

    def listing(self) -> Listing:
        """Return the images in the order of the tars, and their classes in the order of the names.

        Raises:
          ConfigError: a file is missing, or an object has no class that can be found.
          DataError: a tar is damaged, or a name has no image, no class or several.
        """
        given = self.dataset_dir
        if given.lower().endswith(COMPRESSED):
            raise ConfigError(
                f'{given}: is compressed; gunzip it, and give the .tar (--dataset_dir)'
            )
        paths = _tars_in(given) if files.is_folder(given) else list(_expanded(given))
        missing = [path for path in paths if not files.exists(path)]
        if missing:
            raise ConfigError(f'{missing[0]}: no such file (--dataset_dir)')
        splits = splits_of_files(paths)
        samples = [
            (f'{short[:-4]}/{name}', class_name, part)
            for path, short in short_names(paths).items()
            for name, class_name, part in self._samples(path)
        ]
        if not samples:
            raise DataError(f'{self.dataset_dir}: holds no images')
        class_names = sorted_names({class_name for _, class_name, _ in samples})
        labels = {name: label for label, name in enumerate(class_names)}
        images = [
            LabelledImage(name, labels[each], part, part.size, splits.get(part.path, ''))
            for name, each, part in samples
        ]
        count = f'{len(paths)} tars' if len(paths) > 1 else '1 tar'
        told = [f'{len(images)} images of {count}, read in place']
        told += told_spellings(
            self.dataset_dir, ((class_names[each.label], each.split) for each in images)
        )
        remarks = tuple(Remark(f'{self.dataset_dir}: {text}') for text in told)
        return Listing(class_names, tuple(images), folder=self.dataset_dir, remarks=remarks)

    def _samples(self, path: str) -> Iterator[tuple[str, str, Part]]:
        """Yield (name of the image, class, its part of the file) of one tar."""
        samples: dict[str, _Sample] = {}
        for member, file in _members(path):
            folder, slash, base = member.name.removeprefix('./').rpartition('/')
            stem, _, _ = base.partition('.')
            ending = os.path.splitext(base)[1].lower()
            sample = samples.setdefault(f'{folder}{slash}{stem}', _Sample())
            if ending in IMAGE_ENDINGS:
                part = Part(path, member.offset_data, member.size)
                sample.images.append((member.name.removeprefix('./'), part))
            elif ending == CLASS or (ending == OBJECT and not sample.class_name):
                place = f'{path}: {member.name}'
                text = file.read(min(member.size, MAX_LABEL_BYTES)).decode('utf-8', 'replace')
                found = text.strip() if ending == CLASS else self._of_object(place, text)
                if BETWEEN in found or len(found.splitlines()) > 1:
                    raise DataError(f'{place}: several classes: {ONE_CLASS}')
                sample.class_name = found or sample.class_name
        for name, sample in samples.items():
            if len(sample.images) > 1:
                raise DataError(f'{path}: {name} has {len(sample.images)} images, not one')
            if sample.images and not sample.class_name:
                raise DataError(f'{path}: {name} has no class ({CLASS}, or in {OBJECT})')
            for image, part in sample.images:
                yield image, sample.class_name, part

    def _of_object(self, place: str, text: str) -> str:
        """Return the class in a JSON object, '' where it has none."""
        try:
            value: Any = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise DataError(f'{place}: not a JSON object')
        named: Sequence[str] = self.options.label_column
        if len(named) > 1:
            raise ConfigError('--label_column: a WebDataset has one')
        keys = list(value)
        found = known_column(place, keys, LABEL_COLUMNS, 'label_column') if not named else None
        key = named[0] if named else keys[found] if found is not None else None
        each = value.get(key) if key is not None else None
        if isinstance(each, list):
            return BETWEEN.join(map(str, each))
        return '' if each is None or isinstance(each, dict) else str(each).strip()


def _holds_classes(path: str) -> bool:
    """Return True if classes are among the first members of a tar, compressed or not."""
    is_compressed = path.lower().endswith(COMPRESSED)
    try:
        if is_compressed:
            with files.open_binary(path) as file, tarfile.open(fileobj=file, mode='r:gz') as tar:
                names = [member.name for member in islice(tar, FIRST_MEMBERS)]
        else:
            names = [member.name for member, _ in islice(_members(path), FIRST_MEMBERS)]
    # What is damaged is reported when it is read.
    except Exception:
        return not is_compressed
    return any(name.lower().endswith((CLASS, OBJECT)) for name in names)


def _tars_in(folder: str) -> list[str]:
    """List the tars of a folder that holds no images and no folders."""
    paths = [files.join(folder, name) for name in files.names_in(folder)]
    tars = [path for path in paths if path.lower().endswith('.tar')]
    if not tars or any(map(has_image_ending, paths)) or any(map(files.is_folder, paths)):
        return []
    return tars


def _expanded(pattern: str) -> Iterator[str]:
    """Yield the paths that a pattern stands for, itself where it stands for none."""
    if match := _LIST.search(pattern):
        for text in match[1].split(','):
            yield from _expanded(f'{pattern[: match.start()]}{text}{pattern[match.end() :]}')
        return
    match = _RANGE.search(pattern)
    if match is None:
        yield from files.matching(pattern) or [pattern]
        return
    first, last = int(match[1]), int(match[2])
    if last - first >= MAX_SHARDS:
        raise ConfigError(f'{pattern}: stands for more than {MAX_SHARDS} files (--dataset_dir)')
    for number in range(first, last + 1):
        text = str(number).zfill(len(match[1]))
        yield from _expanded(f'{pattern[: match.start()]}{text}{pattern[match.end() :]}')


def _members(path: str) -> Iterator[tuple[tarfile.TarInfo, Any]]:
    """Yield (member, file at its content) of each plain file, after checking that it is whole.

    Raises:
      DataError: the tar is damaged, cut off or compressed.
    """
    size = files.size(path)
    end = 0
    try:
        with files.open_binary(path) as file, tarfile.open(fileobj=file, mode='r:') as tar:
            for member in tar:
                # tarfile keeps all members otherwise.
                tar.members = []  # type: ignore[attr-defined]
                end = member.offset_data + (-(-member.size // tarfile.BLOCKSIZE)) * (
                    tarfile.BLOCKSIZE if member.isreg() else 0
                )
                if end > size:
                    raise DataError(f'{path}: cut off in {member.name}')
                if member.isreg():
                    file.seek(member.offset_data)
                    yield member, file
            # tarfile takes a damaged header for the end.
            file.seek(end)
            mark = file.read(tarfile.BLOCKSIZE)
    # A damaged length may ask for any amount of memory.
    except (tarfile.TarError, EOFError, ValueError, OverflowError, MemoryError) as error:
        raise DataError(f'{path}: not a whole, uncompressed tar ({error})') from None
    if len(mark) < tarfile.BLOCKSIZE or any(mark):
        reason = 'a damaged header' if mark and any(mark) else 'no end mark, so it is cut off'
        raise DataError(f'{path}: {reason} at byte {end}')
