"""Images for serving, and stored images for people, over a run's own data."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import run
from library.config.command_line import parse
from library.config.hparams import resolve
from library.inputs.open_data import open_data
from library.inputs.stored_files import serving_images, stored_files
from library.preparation.images import prepare_image
from library.records.example import read_file
from library.runs.metadata import Run
from project.sources import SOURCES
from tests.conftest import ROOT, convert_folder, draw_images


def stored(params, numbers):
    return list(stored_files(open_data(params, SOURCES, (), training=False), numbers))


def hparams(**flags):
    words = ['evaluate', '--model', 'simple', '--config_file', ROOT / 'project.yaml']
    words += ['--hyperparameter_file', ROOT / 'hyperparameters.yaml']
    for name, value in flags.items():
        words += [f'--{name}'] if value is None else [f'--{name}', value]
    return resolve(run.CATALOG, parse([str(word) for word in words], run.CATALOG, tuple(run.MODES)))


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp('serving_input')
    images = draw_images(root / 'images', 4)
    convert_folder(images, root / 'data' / 'test', 'test', num_shards=2)
    return root


def records(folder):
    found = []
    for path in sorted(folder.glob('*.tfrecord')):
        found += [read_file(r.numpy()) for r in tf.data.TFRecordDataset(str(path))]
    return found


def test_chosen_records_come_in_stored_order(data):
    expected = records(data / 'data' / 'test')
    params = hparams(data_dir=data / 'data', eval_split='test')
    found = stored(params, [7, 0, 11])
    assert found == [(n, *expected[n]) for n in (0, 7, 11)]
    assert stored(params, []) == []


def test_records_that_are_far_from_the_chosen_ones_are_not_read(data, tmp_path, monkeypatch):
    folder = shutil.copytree(data / 'data', tmp_path / 'data') / 'test'
    expected = records(folder)
    first, second = sorted(folder.glob('*.tfrecord'))
    count = len(list(tf.compat.v1.io.tf_record_iterator(str(first))))
    for path in (first, second):
        content = bytearray(path.read_bytes())
        content[40] ^= 1  # in the first record of each
        path.write_bytes(content)
    params = hparams(data_dir=tmp_path / 'data', eval_split='test')
    chosen = [1, count + 1, count + 2]
    monkeypatch.setattr('library.inputs.stored_files.READ_ON', 1)
    assert stored(params, chosen) == [(n, *expected[n]) for n in chosen]
    with pytest.raises(tf.errors.DataLossError):
        stored(params, [0])


@pytest.mark.parametrize('own', [True, False])
def test_records_without_a_manifest_come_too(data, tmp_path, own):
    pattern = data / 'data' / 'test' / '*.tfrecord'
    if not own:
        for path in (data / 'data' / 'test').glob('*.tfrecord'):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        pattern = tmp_path / '*.tfrecord'
    params = hparams(eval_metadata=pattern, train_metadata=pattern)
    expected = records(data / 'data' / 'test')
    assert stored(params, [3]) == [(3, *expected[3])]


def test_files_that_are_read_encoding_of_have_their_names(data):
    params = hparams(eval_metadata=data / 'images', train_metadata=data / 'images')
    ((number, name, encoded),) = stored(params, [5])
    assert (number, name) == (5, 'green/1.jpg')
    assert encoded == (data / 'images' / name).read_bytes()


def test_noise_has_no_files():
    assert stored(hparams(use_synthetic_data=None), [0]) == []


def test_requests_are_decoded_with_the_numbers_of_the_run():
    params = hparams(image_size=24)
    known = Run().found('test', stored_max_edge=40, stored_quality=50)
    random = np.random.default_rng(0)
    file = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (40, 30, 3), np.uint8)).save(file, 'PNG')
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        fed = tf.compat.v1.placeholder(tf.string, [None])
        pixels = serving_images(fed, params, known)
        jpeg = prepare_image(file.getvalue(), 40, 50).jpeg
        first, second = session.run(pixels, {fed: [file.getvalue(), jpeg]})
        with pytest.raises(tf.errors.InvalidArgumentError, match='more than 1199 pixels'):
            strict = hparams(image_size=24, max_pixels=1199)
            session.run(serving_images(fed, strict, known), {fed: [file.getvalue()]})
    assert first.shape == (24, 24, 3)
    np.testing.assert_array_equal(first, second)
