"""Declare the options of convert_dataset.py."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import COMMAND_LINE, PROJECT, Options, option
from library.preparation.encoding_options import MAX_EDGE, QUALITY
from library.preparation.formats import EXTRA_FORMATS
from library.preparation.pictures.decoded_size import SizeOptions
from library.preparation.pictures.picture_options import PictureOptions
from library.preparation.splits import DEFAULT_SPLITS


@dataclass(frozen=True)
class SourceChoice(Options, group='source', home=COMMAND_LINE):
    """Which source to use; the program knows the choices."""

    source: str | None = option(None, 'Kind of the data set; none: found out from what is there.')


@dataclass(frozen=True)
class DatasetOptions(Options, group='source', home=COMMAND_LINE):
    """Where a data set is."""

    dataset_dir: str | None = option(
        None,
        'What to convert: a folder of images with one folder per class (perhaps below train/ and '
        'test/), a CSV file, or what another SOURCE reads.',
        positional=True,
    )
    labels: str | None = option(
        None,
        'Class names in the order of their numbers: a file with one a line, a manifest (NAME.json) '
        'or the directory of a run; none: the names found, sorted.',
    )
    classes_at: int | None = option(
        None,
        'Level of the class folders below DATASET_DIR: 1 for those in it; folders within them are '
        'part of the class. None: found out, or refused where it is not certain.',
        low=1,
        high=99,
    )


@dataclass(frozen=True)
class TableOptions(Options, group='data', home=PROJECT):
    """How tables of images and names of files are read, with a conversion and without."""

    label_from_name: str | None = option(
        None,
        'Regular expression that finds the class in the name of each file of a folder without '
        r'class folders, by its first group, such as ^(\w+)\. for cat.0.jpg.',
        kept_with_run=True,
        needs='train_metadata',
    )
    image_root: str | None = option(
        None,
        'Folder that the paths of a table (CSV, JSON lines) start from; none: that of the table.',
        kept_with_run=True,
        needs='train_metadata',
    )
    path_column: str | None = option(
        None,
        'Column of a table with the path of the image; none: the one with a usual name (path, '
        'filename, image_id ...).',
        kept_with_run=True,
        needs='train_metadata',
    )
    label_column: tuple[str, ...] = option(
        (),
        'Column of a table with the class, a name or a number; several: columns of 0 and 1, one '
        'for each class. None: the one with a usual name (label, class, breed ...), otherwise all '
        'columns of 0 and 1.',
        kept_with_run=True,
        needs='train_metadata',
    )
    follow_symlinks: bool = option(
        False,
        'Follow symbolic links among the images.',
        kept_with_run=True,
        needs='train_metadata',
    )
    split_column: str | None = option(
        None,
        'Column of a table with the split; none: the column split, if there is one.',
        kept_with_run=True,
        needs='train_metadata',
    )


@dataclass(frozen=True)
class RecordOptions(Options, group='data', home=PROJECT):
    """How TFRecords of other programs are read, with a conversion and without."""

    record_image_key: str | None = option(
        None,
        'Feature with the image in TFRecords of other programs; none: the usual one that is there '
        '(image/encoded, image ...).',
        kept_with_run=True,
        needs='train_metadata',
    )
    record_label_key: str | None = option(
        None,
        'Feature with the class in TFRecords of other programs: a number, a text, or 0 and 1 for '
        'each class; none: the usual one (image/class/label, label, class ...).',
        kept_with_run=True,
        needs='train_metadata',
    )


@dataclass(frozen=True)
class SourceOptions(TableOptions, RecordOptions, DatasetOptions, group='source', home=COMMAND_LINE):
    """Where images and labels come from."""

    group_column: str | None = option(
        None,
        'Column of a table with what images have in common that must share a split, such as a '
        'patient; none: each image is divided alone.',
    )


@dataclass(frozen=True)
class ConversionOptions(Options, group='conversion', home=COMMAND_LINE):
    """What is written, and how."""

    tfrecord_dir: str | None = option(
        None,
        'Folder for the shards and the manifest; may be the folder of images.',
        positional=True,
    )
    tfrecord_filename: str | None = option(
        None,
        'Makes all images one split of this name, in TFRECORD_DIR itself; none: each split goes to '
        'TFRECORD_DIR/SPLIT/SPLIT-*.',
    )
    max_edge: int = option(
        MAX_EDGE,
        'Longest edge of a stored image; larger ones are shrunk, others keep their size.',
        unit='pixels',
        low=8,
    )
    quality: int = option(QUALITY, 'JPEG quality of images that are re-encoded.', low=1, high=100)
    extra_formats: tuple[str, ...] = option(
        # AVIF was one before it came to be read by default.
        (),
        'Rare image formats to accept as well.',
        choices=('AVIF', *EXTRA_FORMATS),
    )
    num_shards: int | None = option(
        None, 'Shards of each split; none: about 100 MB each, at least 2.', low=1, high=99_999
    )
    random_seed: int = option(0, 'Seed of the order of the images, and of --splits.')
    max_bad_fraction: float = option(
        0.1, 'Fraction of images that may be bad before nothing is written.', low=0, high=1
    )


@dataclass(frozen=True)
class StoredPictureOptions(PictureOptions, group='conversion', home=COMMAND_LINE):
    """What the pixels of the images mean that are converted."""

    measures = True


@dataclass(frozen=True)
class StoredSizeOptions(SizeOptions, group='conversion', home=COMMAND_LINE):
    """Which images are too large to be converted."""


@dataclass(frozen=True)
class SplitOptions(Options, group='splits', home=COMMAND_LINE):
    """Which image goes to which split."""

    splits: str | None = option(
        None,
        'Fractions of splits to make, such as train=0.8,validation=0.1,test=0.1; where the data '
        'set has splits of its own, they divide its training images. None: those of its own, or '
        f'{DEFAULT_SPLITS} where it has none.',
    )
    split_by: str | None = option(
        None,
        'exact: shares hold within each class, and images that were converted to the same place '
        'before stay where they were. hash: by the content of each image alone, shares hold on '
        'average. None: as TFRECORD_DIR was divided before, otherwise exact.',
        choices=('exact', 'hash'),
    )
    group_by: str | None = option(
        None,
        'Regular expression searched in each path: images with the same text in its groups share '
        r'a split, such as (p\d+)_ for p01_03.jpg. None: each image is divided alone.',
    )
    folds: int | None = option(
        None,
        'Divide the training images into this many folds, the splits fold1, fold2 ..., for '
        'cross-validation (run.py --fold). None: no folds.',
        low=2,
        high=100,
    )
    duplicates: str | None = option(
        None,
        'Duplicate images: report lists them, drop keeps one (in a test '
        'split rather than in train; none under two labels), error stops. None: error for a '
        'picture under two labels, otherwise report.',
        choices=('report', 'drop', 'error'),
    )


@dataclass(frozen=True)
class RunnerOptions(Options, group='running', home=COMMAND_LINE):
    """Who does the work."""

    workers: int | None = option(
        None, 'Processes that decode; none: one for each core that may be used.', low=1, high=1024
    )
    verify: str | None = option(
        None, 'Check converted images in this folder, or in its folders, and convert nothing.'
    )
    verbose: bool = option(False, "Show tracebacks and TensorFlow's messages.")
