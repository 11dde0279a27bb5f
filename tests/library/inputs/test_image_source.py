"""Images that were not converted reach the model as converted ones do."""

from __future__ import annotations

import itertools
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import ExifTags, Image

from library.config.command_line import parse
from library.config.hparams import resolve
from library.inputs.epoch_stream import epoch_seed
from library.inputs.image_source import ImageSource
from library.inputs.open_data import open_data
from library.records.example import ENCODED, LABEL
from project.options import CATALOG
from project.sources import SOURCES
from tests.conftest import COLORS, convert_folder
from tests.feeding import feed

TRAIN, EVAL = tf.estimator.ModeKeys.TRAIN, tf.estimator.ModeKeys.EVAL


@pytest.fixture
def hparams(tmp_path):
    def make(metadata, **flags):
        values = {'model': 'simple', 'model_dir': tmp_path / 'run', 'image_size': 32}
        values |= {'batch_size': 7, 'train_batch_size': 'none'}
        values |= {'train_metadata': metadata, 'eval_metadata': metadata} | flags
        words = [f'--{name}={value}' for name, value in values.items()]
        return resolve(CATALOG, parse(words, CATALOG))

    return make


def batches(params, mode, count=None):
    """(images, labels) of each batch, in a session as the Estimator has them."""
    found = []
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        iterator = tf.compat.v1.data.make_initializable_iterator(feed(params, mode))
        features, labels = iterator.get_next()
        session.run([iterator.initializer, tf.compat.v1.tables_initializer()])
        for _ in itertools.count() if count is None else range(count):
            try:
                found.append(tuple(session.run((features['image'], labels))))
            except tf.errors.OutOfRangeError:
                break
    return found


def by_label(fed):
    """Label to pixels, where each label comes once."""
    images, labels = (np.concatenate(parts) for parts in zip(*fed, strict=True))
    assert sorted(labels) == sorted(set(labels))
    return dict(zip(labels.tolist(), images, strict=True))


def noise(width, height, seed):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def draw_odd_images(folder):
    """A class for each: PNG, grey PNG of 16 bits, transparent WebP, and a turned JPEG."""
    turn = Image.Exif()
    turn[ExifTags.Base.Orientation] = 6
    deep = noise(40, 30, 2)[..., 0].astype(np.uint16) * 257 + 99
    clear = np.dstack([noise(40, 30, 3), noise(40, 30, 4)[..., 0]])
    for name, image, options in (
        ('flat.png', Image.fromarray(noise(48, 36, 0)), {}),
        ('deep.png', Image.fromarray(deep), {}),
        ('clear.webp', Image.fromarray(clear), {'lossless': True}),
        ('turned.jpg', Image.fromarray(noise(64, 24, 1)), {'exif': turn}),
    ):
        path = folder / name.replace('.', '_') / name
        path.parent.mkdir(parents=True)
        image.save(path, **options)
    return folder


@pytest.fixture(scope='module')
def odd(tmp_path_factory):
    """Odd images, in folders and listed in a CSV file, and the same converted."""
    root = tmp_path_factory.mktemp('odd')
    images = draw_odd_images(root / 'images')
    convert_folder(images, root / 'records', max_edge=4000)
    rows = [f'{path.relative_to(root)},{path.parent.name}' for path in images.rglob('*.*')]
    (root / 'list.csv').write_text('\n'.join(['path,label', *rows]))
    return root


@pytest.mark.parametrize('source', ['images', 'list.csv'])
def test_an_image_of_any_format_looks_as_after_a_conversion(hparams, odd, source):
    converted = by_label(batches(hparams(odd / 'records' / '*.tfrecord'), EVAL))
    direct = by_label(batches(hparams(odd / source), EVAL))
    assert sorted(direct) == sorted(converted) == [0, 1, 2, 3]
    for label, pixels in converted.items():
        np.testing.assert_array_equal(direct[label], pixels)


def test_images_of_the_same_seed_are_augmented_alike(hparams, odd):
    first, again = (batches(hparams(odd / 'images'), TRAIN, 3) for _ in range(2))
    for (images, labels), (more_images, more_labels) in zip(first, again, strict=True):
        np.testing.assert_array_equal(images, more_images)
        np.testing.assert_array_equal(labels, more_labels)


@pytest.fixture(scope='module')
def many(data_dir, tmp_path_factory):
    """24 images in folders, and the same in a CSV file."""
    folder = tmp_path_factory.mktemp('many')
    shutil.copytree(data_dir / 'images' / 'train', folder / 'train')
    rows = [f'{path.relative_to(folder)},{path.parent.name}' for path in folder.rglob('*.jpg')]
    (folder / 'many.csv').write_text('\n'.join(['path,label', *rows]))
    return {'folder': folder / 'train', 'csv': folder / 'many.csv'}


def pixels_of(fed):
    return [image.tobytes() for images, _ in fed for image in images]


@pytest.mark.parametrize('source', ['folder', 'csv'])
def test_every_epoch_has_all_images_in_an_order_of_its_own(hparams, many, source):
    params = hparams(many[source], batch_size=8, augmentation='false')
    fed = batches(params, TRAIN, 6)
    first, second = pixels_of(fed[:3]), pixels_of(fed[3:])
    assert len(set(first)) == 24
    assert sorted(first) == sorted(second)
    assert first != second
    labels = np.concatenate([labels for _, labels in fed[:3]])
    assert np.bincount(labels).tolist() == [8] * len(COLORS)
    assert len(set(labels[:8].tolist())) > 1  # the folders are mixed


@pytest.mark.parametrize('source', ['folder', 'csv'])
def test_a_resumed_run_goes_on_where_it_was(hparams, many, source, monkeypatch):
    params = hparams(many[source], batch_size=10)
    fed = batches(params, TRAIN, 5)
    monkeypatch.setattr('library.inputs.batches.newest_step', lambda model_dir: 3)
    for (images, labels), (more_images, more_labels) in zip(
        fed[3:], batches(params, TRAIN, 2), strict=True
    ):
        np.testing.assert_array_equal(images, more_images)
        np.testing.assert_array_equal(labels, more_labels)


@pytest.mark.parametrize('source', ['folder', 'csv'])
def test_to_debug_training_has_the_stored_order(hparams, many, source):
    params = hparams(many[source], batch_size=24, augmentation='false', debug='true')
    ((images, labels),) = batches(params, TRAIN, 1)
    evaluated = batches(params, EVAL)
    np.testing.assert_array_equal(images, np.concatenate([each for each, _ in evaluated]))
    np.testing.assert_array_equal(labels, np.concatenate([each for _, each in evaluated]))


# Several pipelines that train together.


@pytest.fixture(scope='module')
def sources(many, data_dir, tmp_path_factory):
    """The same 24 images from each kind of source; what of them tells images apart."""
    folder = tmp_path_factory.mktemp('files')
    convert_folder(many['folder'], folder, num_shards=9)
    return {
        'folder': str(many['folder']),
        'csv': str(many['csv']),
        'one file': str(data_dir / 'train' / '*.tfrecord'),
        'nine files': str(folder / '*.tfrecord'),
    }


def shards_of_epochs(params, pipelines, epochs=2):
    """Epoch, then pipeline, to the images that it sees, in order."""
    split = open_data(params, SOURCES, (), training=True)
    source = ImageSource(split, params.interleave_files, params.shuffle_buffer, params.debug)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        epoch, shard_index = (tf.compat.v1.placeholder(tf.int64, []) for _ in range(2))
        seed = epoch_seed(epoch, params.random_seed)
        dataset = source.epoch(seed, shard_index, pipelines)
        dataset = dataset.shuffle(source.shuffle_buffer, seed, reshuffle_each_iteration=False)
        all_images = dataset.batch(source.examples)
        iterator = tf.compat.v1.data.make_initializable_iterator(all_images)
        element = iterator.get_next()
        session.run(tf.compat.v1.tables_initializer())

        def images(*numbers):
            given = dict(zip((epoch, shard_index), numbers, strict=True))
            session.run(iterator.initializer, given)
            found = session.run(element)
            # Records, or paths and their labels.
            return [bytes(each) for each in (found[0] if isinstance(found, tuple) else found)]

        return [[images(number, each) for each in range(pipelines)] for number in range(epochs)]


@pytest.mark.parametrize('debug', ['false', 'true'])
@pytest.mark.parametrize('pipelines', [1, 2, 3, 5])
@pytest.mark.parametrize('source', ['folder', 'csv', 'one file', 'nine files'])
def test_pipelines_together_see_each_image_of_an_epoch_once(
    hparams, sources, source, pipelines, debug
):
    epochs = shards_of_epochs(hparams(sources[source], debug=debug), pipelines)
    for shards in epochs:
        images = list(itertools.chain(*shards))
        assert len(set(images)) == len(images) == 24
        assert all(shards)
    assert (epochs[0] == epochs[1]) == (debug == 'true')
    # 9 files are enough for two shards, which may then differ by more.
    by_file = source == 'nine files' and pipelines == 2 and debug == 'false'
    sizes = sorted(map(len, epochs[0]))
    assert by_file or sizes[-1] - sizes[0] <= 1


# TFRecords of other programs.


def write_records(path, contents):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for label, content in enumerate(contents):
            features = {
                ENCODED: tf.train.Feature(bytes_list=tf.train.BytesList(value=[content])),
                LABEL: tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    return path


def test_records_of_others_may_hold_images_of_any_format(hparams, odd, tmp_path):
    names = sorted(path for path in (odd / 'images').rglob('*.*'))
    path = write_records(tmp_path / 'theirs.tfrecord', [name.read_bytes() for name in names])
    converted = by_label(batches(hparams(odd / 'records' / '*.tfrecord'), EVAL))
    external = by_label(batches(hparams(path), EVAL))
    for label, pixels in converted.items():
        np.testing.assert_array_equal(external[label], pixels)
    for images, _ in batches(hparams(path, batch_size=4), TRAIN, 3):  # randomly cropped
        assert images.shape == (4, 32, 32, 3)


def told(params, mode):
    with pytest.raises(tf.errors.UnknownError) as caught:
        batches(params, mode, 2)
    return str(caught.value)


@pytest.mark.parametrize('mode', [TRAIN, EVAL])
def test_a_damaged_image_in_the_records_of_others_is_reported(hparams, odd, tmp_path, mode):
    whole = next((odd / 'images').rglob('*.png')).read_bytes()
    path = write_records(tmp_path / 'theirs.tfrecord', [whole, whole[:-100]])
    message = told(hparams(path, batch_size=2), mode)
    assert f'DataError: {path}: record 1 at byte ' in message
    assert ': damaged (' in message
    assert '; take it out, or convert the data set\n' in message


def test_a_file_that_takes_too_much_memory_is_told_with_the_option(hparams, tmp_path):
    for label in ('blue', 'red'):
        (tmp_path / 'images' / label).mkdir(parents=True)
        Image.new('RGB', (32, 32)).save(tmp_path / 'images' / label / '0.jpg')
    message = told(hparams(tmp_path / 'images', batch_size=1, max_pixels=1000), EVAL)
    assert '32x32 is more than --max_pixels 1000; take it out, or convert the data set' in message


@pytest.mark.parametrize('name', ['0.jpg', 'caf\udce9.jpg', 'a\nb.jpg'])
def test_a_damaged_file_is_told_by_its_name(hparams, tmp_path, name):
    path = tmp_path / 'images' / 'red' / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b'\xff\xd8\xff')
    (tmp_path / 'images' / 'blue').mkdir()
    Image.new('RGB', (32, 32)).save(tmp_path / 'images' / 'blue' / '0.jpg')
    printed = str(path).replace('\udce9', r'\udce9').replace('\n', ' ')
    message = told(hparams(tmp_path / 'images', batch_size=1), EVAL)
    assert f'DataError: {printed}: cannot be read' in message
    assert '; take it out, or convert the data set\n' in message
