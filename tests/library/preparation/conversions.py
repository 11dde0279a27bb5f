"""Class folders to records within this process, and what lies in a folder afterwards."""

from __future__ import annotations

from pathlib import Path

from library.preparation.converter import Conversion, convert
from library.preparation.encoding_options import EncodingOptions
from library.preparation.labels import relabel
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.preparation.shard_writer import write_shard
from library.preparation.sources.folder import Folder
from library.preparation.workers import prepare
from library.records.example import FILENAME, FORMAT, HEIGHT, LABEL, TEXT, WIDTH

FRACTIONS = {'train': 0.7, 'validation': 0.2, 'test': 0.1}


class Writer:
    """Decodes and writes without worker processes, and keeps the names of what it decoded."""

    def __init__(self):
        self.prepared = []

    def __call__(self, shards, encoding):
        for shard in shards:
            yield write_shard(shard, self._outcomes(shard, encoding))

    def _outcomes(self, shard, encoding):
        for image in shard.images:
            self.prepared.append(image.filename)
            yield image, prepare(image.content, encoding)


def list_images(images, output, name='train', **source_options):
    """The listing of class folders, and the Output that `convert` needs."""
    target = Output(str(output), name)
    options = SourceOptions(dataset_dir=str(images), **source_options)
    return Folder(options, target).listing(), target


def convert_images(
    images, output, name='train', *, labels=None, writer=None, quality=80, max_edge=64, **options
) -> Conversion:
    """Converts class folders; name None makes a folder for each split."""
    listing, target = list_images(images, output, name)
    listing = listing if labels is None else relabel(listing, labels)
    return convert(
        listing, target, EncodingOptions(max_edge, quality), writer or Writer(), **options
    )


def convert_splits(images, output, **options) -> Conversion:
    """Converts class folders into a folder for each split."""
    return convert_images(images, output, None, **options)


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of all files below a folder, by their names below it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


def shards_of(folder: Path) -> dict[str, bytes]:
    """The finished shards among `contents`."""
    return {name: data for name, data in contents(folder).items() if name.endswith('.tfrecord')}


def change_times(folder: Path) -> dict[str, int]:
    """When each file below a folder was last written."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob('*')
        if path.is_file()
    }


def records(manifest) -> list[dict]:
    """The parsed records of a split, in reading order."""
    import tensorflow as tf

    features = {
        key: tf.io.FixedLenFeature([], kind)
        for kind, keys in (
            (tf.string, (FILENAME, FORMAT, TEXT, 'image/encoded')),
            (tf.int64, (HEIGHT, WIDTH, LABEL)),
        )
        for key in keys
    }
    dataset = tf.data.TFRecordDataset(manifest.shard_paths)
    parsed = dataset.map(lambda record: tf.io.parse_single_example(record, features))
    return list(parsed.as_numpy_iterator())


def names_in(manifest) -> list[str]:
    """The file names of a split's records, in reading order."""
    return [record[FILENAME].decode() for record in records(manifest)]


def splits_of(conversion: Conversion) -> dict[str, str]:
    """Each stored image's split, by its name."""
    return {
        name: split
        for split, manifest in conversion.manifests.items()
        for name in names_in(manifest)
    }


def counts(conversion: Conversion) -> dict[str, int]:
    """How many images each split holds."""
    return {split: manifest.examples for split, manifest in conversion.manifests.items()}
