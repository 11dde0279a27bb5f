"""Read a folder per class; inside a class, images may lie in folders of any depth.

The classes may lie below folders of splits, and below folders that hold nothing else:
DIR/{train,validation,test}/CLASS/IMAGE, DIR/flowers/CLASS/IMAGE.
"""

from __future__ import annotations

import os
from unicodedata import normalize

from library import files
from library.errors import ConfigError, DataError
from library.preparation.labels import sorted_names
from library.preparation.output import old_manifest
from library.preparation.sources.layout import Layout, Reader
from library.preparation.sources.remarks import (
    Beside,
    class_remarks,
    layout_remarks,
    other_names,
)
from library.preparation.sources.source import Source
from library.preparation.sources.tree import Branch, Tree
from library.records.listing import LabelledImage, Listing, Unusable


class Folder(Source):
    """Read images in a folder for each class, or for each split and class."""

    own_flags = ('classes_at',)

    @staticmethod
    def fits(dataset_dir: str) -> bool:
        """Return True for any folder."""
        return files.is_folder(dataset_dir)

    def listing(self) -> Listing:
        """Return the images below the class folders, wherever these are.

        Classes are in the order of their names, whole numbers in the order of the numbers, and as
        they were if an older conversion to the same place had them in another order. A symbolic
        link is listed as unusable, unless they are followed.

        Raises:
          ConfigError: there is no such folder.
          DataError: it holds no class folder, or a class without any image file, or it is not
            certain which folders are the classes; the message says what settles it.
        """
        root = self.dataset_dir
        if not files.is_folder(root):
            raise ConfigError(f'{root}: no such folder (--dataset_dir)')
        tree = Tree(root, self.output, self.options.follow_symlinks)
        # Who trains on a folder needs no other split of it.
        divides = bool(self.output.splits) or self.flag == '--train_metadata'
        reader = Reader(tree, self.flag, self.known, divides)
        at = self.options.classes_at
        layout = reader.read() if at is None else reader.read_at(at)
        found = [
            (level.split, name, branch)
            for level in layout.levels
            for name, branch in level.classes()
        ]
        for _, name, branch in found:
            if '\n' in name:
                above = os.path.dirname(tree.path(branch.name))
                raise DataError(f'{above}: the class name {name!r} holds a line break')
        class_names = self._in_order({name for _, name, _ in found}, layout)
        labels = {normalize('NFC', name): label for label, name in enumerate(class_names)}
        images = tuple(
            LabelledImage(
                filename,
                labels[name],
                entry.path if entry.kind == 'image' else Unusable(entry.kind),
                entry.size,
                split,
            )
            for split, name, branch in found
            for filename, entry in tree.images_below(branch)
        )
        if at is None:
            reader.check_tables(layout, {i.filename: class_names[i.label] for i in images})
        beside = Beside(tree, layout, len(images))
        classes: dict[str, list[Branch]] = {}
        for _, name, branch in found:
            classes.setdefault(name, []).append(branch)
        remarks = (*layout_remarks(layout, classes), *class_remarks(classes), *beside.remarks)
        ignored = [*beside.names, *tree.skipped.names, *other_names(classes)]
        return Listing(class_names, images, tuple(sorted(ignored)), root, remarks)

    def _in_order(self, names: set[str], layout: Layout) -> tuple[str, ...]:
        """Sort the classes into the order of their labels, spelled and ordered as before."""
        before = self._names_before({level.split for level in layout.levels})
        spelled = {normalize('NFC', name): name for name in before}
        return sorted_names({spelled.get(name, name) for name in names}, before)

    def _names_before(self, splits: set[str]) -> tuple[str, ...]:
        """Return the classes of an older conversion to the same place."""
        if not self.output.folder:
            return ()
        for split in sorted({self.output.name or '', *self.output.splits, *splits} - {''}):
            if manifest := old_manifest(self.output.target(split)):
                return manifest.class_names
        return ()
