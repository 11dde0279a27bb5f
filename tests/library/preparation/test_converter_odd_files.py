"""Hundreds of odd and bad files, and those of rare formats, through a whole conversion."""

from __future__ import annotations

import os

import pytest
import tensorflow as tf

from library.records.example import FILENAME, HEIGHT, WIDTH
from tests.conftest import convert_folder, draw_images
from tests.converting import convert, flags
from tests.library.preparation.drawn_pictures import encoded, noise
from tests.library.preparation.odd_files import MAX_EDGE, write_odd_files

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
        tmp_path / 'images',
        tmp_path / 'out',
        known=('odd',),
        max_edge=MAX_EDGE,
        workers=2,
        max_bad_fraction=1,
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


ENDINGS = ('jpg', 'png', 'webp', 'bmp', 'tif', 'gif', 'avif', 'txt', 'dcm', 'bin')


def test_any_ending_for_any_other_gives_the_same_records(tmp_path, capsys):
    images, shards = tmp_path / 'images', []
    for color, seed in (('red', 0), ('blue', 100)):
        (images / color).mkdir(parents=True)
        for number, kind in enumerate(('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF', 'PPM', 'SGI')):
            picture = encoded(noise(24, 24, seed + number), kind)
            (images / color / f'{number}.jpg').write_bytes(picture)
    for shift, _ in enumerate(['', *ENDINGS]):
        for path in sorted(images.rglob('*.*')):
            # The names decide the order, so that they may differ in nothing but their endings.
            ending = ENDINGS[(int(path.stem) + shift) % len(ENDINGS)]
            path.rename(path.with_suffix(f'.{ending}{"?w=200" * (shift == 3)}'))
        output = tmp_path / f'out{shift}'
        words = flags(images, output, extra_formats='PPM,SGI', num_shards=1)
        status, out, _ = convert(capsys, *words)
        assert (status, 'ignored' in out) == (0, False)
        records = tf.data.TFRecordDataset(str(output / 'train-00000-of-00001.tfrecord'))
        examples = map(tf.train.Example.FromString, records.as_numpy_iterator())
        shards.append([_without_name(each) for each in examples])
    assert len(shards[0]) == 16
    assert [each for each in shards if each != shards[0]] == []


def _without_name(example):
    feature = dict(example.features.feature)
    name = os.fsdecode(feature.pop(FILENAME).bytes_list.value[0]).split('.')[0]
    return name, sorted((key, str(value)) for key, value in feature.items())
