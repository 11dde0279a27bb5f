"""Hundreds of odd and bad files, and those of rare formats, through a whole conversion."""

from __future__ import annotations

import os

import pytest
import tensorflow as tf

from library.records.example import FILENAME, HEIGHT, WIDTH
from tests.conftest import convert_folder, draw_images
from tests.converting import convert, flags
from tests.library.preparation.odd_files import MAX_EDGE, write_odd_files
from tests.library.preparation.pictures import encoded, noise

pytestmark = pytest.mark.graph


def test_every_bad_file_is_reported_and_every_odd_one_is_stored(tmp_path):
    folder = tmp_path / 'images' / 'odd'
    folder.mkdir(parents=True)
    bad, good = write_odd_files(folder)
    os.mkfifo(folder / 'pipe.jpg')
    os.symlink('loop.jpg', folder / 'loop.jpg')
    bad |= {'pipe.jpg': 'not a regular file', 'loop.jpg': 'symbolic link'}
    assert len(bad) >= 200
    manifest = convert_folder(
        tmp_path / 'images', tmp_path / 'out', max_edge=MAX_EDGE, workers=2, max_bad_fraction=1
    ).manifests['train']
    reasons = {each.file.removeprefix('odd/'): each.reason for each in manifest.rejected}
    assert reasons.keys() == bad.keys()
    assert [name for name, reason in bad.items() if reason not in reasons[name]] == []
    stored = {}
    for record in tf.data.TFRecordDataset(manifest.shard_paths).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        name = os.fsdecode(feature[FILENAME].bytes_list.value[0]).removeprefix('odd/')
        stored[name] = (feature[HEIGHT].int64_list.value[0], feature[WIDTH].int64_list.value[0])
    assert stored == {name: tuple(size) for name, size in good.items()}


def test_further_formats_are_known_by_the_endings_that_they_have(tmp_path, capsys):
    images = draw_images(tmp_path / 'images')
    kinds = {
        'PCX': 'pcx PCX',
        'SGI': 'sgi rgb bw',
        'JPEG2000': 'jp2 j2k j2c jpx jpf',
        'AVIF': 'avif',
        'PPM': 'ppm pgm pnm pbm',
    }
    for kind, endings in kinds.items():
        for ending in endings.split():
            data = encoded(noise(24, 24, sum(map(ord, ending))), kind)
            (images / 'red' / f'{kind}.{ending}').write_bytes(data)
    status, out, _ = convert(capsys, *flags(images, extra_formats=','.join(kinds)))
    assert (status, 'rejected: ' in out, 'ignored' in out) == (0, False, False)
    assert '33 images of 3 classes in 2 shards (15 re-encoded, 0 rejected)' in out
