"""Read the TFRecords of other programs: slim, Inception, TFDS, Kaggle and what has such keys.

Nothing is copied: an image stays the part of the file that it is, and is read from there.
"""

from __future__ import annotations

import os
from collections import Counter

from library import files
from library.errors import ConfigError
from library.preparation.image_files import has_image_ending
from library.preparation.labels import sorted_names, told_spellings
from library.preparation.sources.entries import short_names
from library.preparation.sources.refusals import shown
from library.preparation.sources.source import Source
from library.preparation.sources.split_words import split_word, splits_of_files
from library.records.example import features_of
from library.records.example_keys import NAME, read_name
from library.records.external import Labelled, labelled, named_apart
from library.records.framing import HEADER
from library.records.listing import LabelledImage, Listing, Part, Remark
from library.records.manifest import manifest_names
from library.records.shards import is_record_file


class TFRecord(Source):
    """Read one file, those of a folder or of folders of splits in it, or of a 'DIR/train*'."""

    own_flags = ('record_image_key', 'record_label_key')

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return True for files named as TFRecords are that no conversion of this program wrote."""
        return bool(_record_files(dataset_dir))

    def listing(self) -> Listing:
        """Return the images in the order of the files, and the classes in that of their numbers.

        Raises:
          ConfigError: no record has a key that was named, or there is no such file.
          DataError: a file is damaged, or a record has no image or not one class.
        """
        paths = _record_files(self.dataset_dir)
        if not paths:
            raise ConfigError(f'{self.dataset_dir}: no TFRecords of other programs ({self.flag})')
        splits = splits_of_files(paths)
        texts: dict[int, str] = {}
        found = []
        keys = (self.options.record_image_key, self.options.record_label_key)
        for each in labelled(paths, self.dataset_dir, *keys):
            if each.keys.kind != NAME:
                texts.setdefault(each.label, each.text or str(each.label))
            # Without the record itself, or all images would be in memory.
            found.append((each.label if texts else each.text, each.path, *_image(each)))
        names_of = named_apart(texts)
        numbered = tuple(names_of[number] for number in sorted(names_of))
        class_names = numbered or sorted_names({str(name) for name, *_ in found})
        labels = {name: label for label, name in enumerate(sorted(names_of) or class_names)}
        names = _unique_names([(path, place, name) for _, path, _, place, name in found])
        images = tuple(
            LabelledImage(filename, labels[name], part, part.size, splits.get(path, ''))
            for filename, (name, path, part, _, _) in zip(names, found, strict=True)
        )
        count = f'{len(paths)} files' if len(paths) > 1 else '1 file'
        told = [f'{len(images)} records of {count}, read in place']
        if several := [names_of[each] for each in sorted(texts) if names_of[each] != texts[each]]:
            told.append(f'classes of one name in the records: {shown(several)}')
        classes = ((class_names[each.label], each.split) for each in images)
        told += told_spellings(self.dataset_dir, classes)
        remarks = tuple(Remark(f'{self.dataset_dir}: {text}') for text in told)
        return Listing(class_names, images, folder=self.dataset_dir, remarks=remarks)


def _image(each: Labelled) -> tuple[Part, int, str]:
    """Return the part of the file that is the image, the record's number, and the image's name."""
    features = features_of(each.record)
    encoded = features[each.keys.image].bytes_list.value[0]
    # A serialized message holds bytes as they are.
    start = each.start + HEADER + each.record.index(encoded)
    return Part(each.path, start, len(encoded)), each.number, read_name(features)


def _record_files(dataset_dir: str) -> list[str]:
    """Find the files that a path or a pattern means."""
    if files.is_folder(dataset_dir):
        paths = _paths_in(dataset_dir)
        folders = [path for path in paths if files.is_folder(path)]
        if folders == paths and all(split_word(os.path.basename(path)) for path in paths):
            paths = [inner for folder in folders for inner in _paths_in(folder)]
        # Folders and images make it a data set of another kind, whatever else lies there.
        if any(map(has_image_ending, paths)) or any(map(files.is_folder, paths)):
            return []
    else:
        paths = files.matching(dataset_dir)
    paths = [path for path in paths if is_record_file(path) and not files.is_folder(path)]
    places = {os.path.dirname(path) or '.' for path in paths}
    return [] if any(map(manifest_names, places)) else paths


def _paths_in(folder: str) -> list[str]:
    return [files.join(folder, name) for name in files.names_in(folder)]


def _unique_names(found: list[tuple[str, int, str]]) -> list[str]:
    """Name each image as its record does, where all do and no two alike; else by file and number.

    Args:
      found: the path of the file, the number of the record, and the name in it or ''.
    """
    counts = Counter(name for _, _, name in found)
    if '' not in counts and len(counts) == len(found):
        return [name for _, _, name in found]
    files_named = short_names(path for path, _, _ in found)
    return [
        '/'.join(filter(None, (files_named[path], f'{number:06}', name)))
        for path, number, name in found
    ]
