"""The options of convert_dataset.py."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import COMMAND_LINE, Options, option


@dataclass(frozen=True)
class ConversionOptions(Options, group='conversion', home=COMMAND_LINE):
    """What to convert, into what."""

    dataset_dir: str | None = option(None, 'Folder with one folder of images per class.')
    tfrecord_filename: str | None = option(None, 'Name of the shards and of the manifest.')
    tfrecord_dir: str | None = option(
        None, 'Folder for the shards and the manifest; may be the folder of images.'
    )
    max_edge: int | None = option(
        None, 'Longest edge of a stored image; larger ones are shrunk.', unit='pixels', low=8
    )
    num_shards: int | None = option(
        None, 'Number of shards; none: about 100 MB each, at least 2.', low=1, high=99_999
    )
    random_seed: int = option(0, 'Seed of the order in which images are stored.')
    workers: int | None = option(
        None, 'Processes that decode; none: one for each core.', low=1, high=1024
    )
    quality: int = option(80, 'JPEG quality of images that are encoded anew.', low=1, high=100)
    max_bad_fraction: float = option(
        0.1, 'Share of images that may be bad before nothing is written.', low=0, high=1
    )
    follow_symlinks: bool = option(False, 'Follow symbolic links among the images.')
    verify: str | None = option(
        None, 'Check converted images in this folder, or in its folders, and convert nothing.'
    )
    verbose: bool = option(False, "Show tracebacks and TensorFlow's messages.")
