"""Define the interface of every source: a path to class names and labelled images."""

from __future__ import annotations

import abc
from collections.abc import Collection
from typing import ClassVar

from library.errors import ConfigError
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.records.listing import Listing


class Source(abc.ABC):
    """One kind of data set.

    A source only lists: what is damaged shows when the images are decoded. It gives the same
    listing for the same files, whatever the order in which a disk names them.

    Attributes:
      own_flags: options that no source reads but this kind.
    """

    own_flags: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        options: SourceOptions,
        output: Output,
        flag: str = '--dataset_dir',
        known: Collection[str] = (),
    ):
        """Keep where to read and where the records go.

        Args:
          options: of the source.
          output: where records go, or will go.
          flag: the option that the path was given as, for messages.
          known: names of classes, where a person or a run knows them.
        """
        self.options = options
        self.output = output
        self.flag = flag
        self.known = known

    @property
    def dataset_dir(self) -> str:
        """Return the path to read, which options need not have."""
        path = self.options.dataset_dir
        if path is None:
            raise ConfigError('--dataset_dir is missing (see --help)')
        return path

    @staticmethod
    @abc.abstractmethod
    def fits(dataset_dir: str) -> bool:
        """Return True if what stands at this path looks like a data set of this kind."""

    @abc.abstractmethod
    def listing(self) -> Listing:
        """Return the class names and the images.

        Raises:
          ConfigError: there is no such data set, or an option does not suit it.
          DataError: it is damaged as a whole.
        """
