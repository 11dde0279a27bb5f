"""A folder with all that is below it, before anybody says what is a class."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from library import files
from library.preparation.image_files import (
    has_image_ending,
    is_image_file,
    is_of_other_program,
)
from library.preparation.output import Output, wrote
from library.preparation.sources.class_names import masks_among
from library.preparation.sources.csv_table import CSV_ENDINGS, JSON_ENDINGS
from library.preparation.sources.entries import Entry, look


@dataclass(eq=False)
class Branch:
    """A folder of a data set.

    Attributes:
      name: below the root, with '/' between folders; '' is the root itself.
      images: (name below the root, entry) of what claims to be an image here or begins like one.
      others: the same of other files, and of links that are not followed.
      folders: those in it that are part of the data set.
      is_empty: nothing at all is in it.
    """

    name: str
    images: list[tuple[str, Entry]] = field(default_factory=list)
    others: list[tuple[str, Entry]] = field(default_factory=list)
    folders: list[Branch] = field(default_factory=list)
    is_empty: bool = False

    @property
    def last_name(self) -> str:
        """Return the folder's own name."""
        return self.name.rpartition('/')[2]

    def all(self) -> Iterator[Branch]:
        """Yield the folder and those below it, in the order of their names."""
        yield self
        for each in self.folders:
            yield from each.all()

    @property
    def count(self) -> int:
        """Return how many images are in it, at any depth."""
        return sum(len(each.images) for each in self.all())

    @property
    def with_images(self) -> list[Branch]:
        """Return the folders in it that have images, at any depth."""
        return [each for each in self.folders if each.count]

    @property
    def only_folders(self) -> bool:
        """Return True if all its images are in folders within it."""
        return not self.images and bool(self.with_images)


@dataclass
class Skipped:
    """What other programs left in the folders: names, and the count of files behind each kind."""

    names: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, entry: Entry) -> None:
        """Counts a file, or all files of a folder."""
        self.names.append(name)
        last = os.path.basename(name)
        if entry.kind == 'folder':
            self.counts[last] += len(files.names_below(entry.path))
        elif last.startswith('.') and last.lower() != '.ds_store':
            self.counts['hidden files'] += 1
        else:
            self.counts[last] += 1

    def told(self) -> Iterator[str]:
        """Yield a line for a person, if there is anything."""
        if self.counts:
            kinds = ', '.join(f'{count} {name}' for name, count in sorted(self.counts.items()))
            yield f'skipped, left by other programs (files): {kinds}'


class Tree:
    """Reads the folders below a root; nothing but names, and the beginning of unusual files.

    Attributes:
      root: what is there.
      skipped: what other programs left there.
    """

    def __init__(self, root: str, output: Output, follow_symlinks: bool):
        """Read all of it, but for what this program wrote there."""
        self._root = root
        self._follow = follow_symlinks
        self._outputs = [f'{_place(each)}/' for each in output.folders if each]
        self.skipped = Skipped()
        self.root = self._read('', frozenset()) or Branch('')

    def path(self, name: str) -> str:
        """Return the path of what has this name below the root."""
        return files.join(self._root, name) if name else self._root

    def images_below(self, branch: Branch) -> Iterator[tuple[str, Entry]]:
        """Yield (name below the root, entry) of all images in a folder and in those below it."""
        masks = masks_among([name for name, _ in branch.images])
        for name, entry in branch.images:
            if name in masks:
                mask_of = os.path.basename(masks[name])
                entry = Entry(entry.path, f'named as the mask of {mask_of}')
            yield name, entry
        for each in branch.folders:
            if has_image_ending(each.name):
                # As a download that went wrong leaves.
                yield each.name, Entry(self.path(each.name), 'a folder, not an image')
            else:
                yield from self.images_below(each)

    def tables_above(self, folder: Branch) -> list[str]:
        """List the tables in a folder and in those above it."""
        return [
            entry.path
            for above in self.root.all()
            if f'{folder.name}/'.startswith(f'{above.name}/' if above.name else '')
            for name, entry in above.others
            if entry.kind == 'image' and name.lower().endswith((*CSV_ENDINGS, *JSON_ENDINGS))
        ]

    def _read(self, name: str, above: frozenset[object]) -> Branch | None:
        """Return a folder of the data set; None where only this program wrote, or will write."""
        branch, folder = Branch(name), self.path(name)
        try:
            identity = files.identity(folder)
            if identity in above:
                reason = 'symbolic link to a folder above it'
                return Branch(name, [(name, Entry(folder, reason))])
            names = files.names_in(folder)
        except OSError as error:
            if files.is_exhausted(error) or not name:
                raise
            return Branch(name, [(name, Entry(folder, (error.strerror or str(error)).lower()))])
        branch.is_empty, own = not names, False
        for each in names:
            inside = f'{name}/{each}' if name else each
            entry = look(self.path(inside), self._follow)
            if entry.kind == 'folder' and not is_of_other_program(each):
                if inner := self._read(inside, above | {identity}):
                    branch.folders.append(inner)
                else:
                    own = True
            elif wrote(entry.path):
                own = True
            elif is_of_other_program(each):
                self.skipped.add(inside, entry)
            elif _is_image(entry):
                branch.images.append((inside, entry))
            else:
                branch.others.append((inside, entry))
        nothing = not (branch.images or branch.others or branch.folders)
        is_own = (own and nothing) or (self._is_output(folder) and not branch.count)
        return None if is_own and name else branch

    def _is_output(self, folder: str) -> bool:
        """Return True if records go, or will go, into this folder or below it."""
        place = f'{_place(folder)}/'
        return any(output.startswith(place) for output in self._outputs)


def _is_image(entry: Entry) -> bool:
    """Return True for an image, and for what cannot be read but claims to be one."""
    return is_image_file(entry.path) if entry.kind == 'image' else has_image_ending(entry.path)


def _place(folder: str) -> str:
    """Return a path that compares with others; the folder need not be there yet."""
    return files.real_path(folder.rstrip('/') or folder)
