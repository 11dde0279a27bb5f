"""Runs without a conversion: folders, CSV files, TFRecords of others, and noise."""

from __future__ import annotations

import json
import os
import shutil

import pytest
import tensorflow as tf
from PIL import Image

from library.errors import DataError
from tests.conftest import COLORS, draw_images
from tests.forked import forked

pytestmark = pytest.mark.train

EXAMPLE = tf.train.Example


@pytest.fixture(scope='module')
def photos(data_dir, tmp_path_factory):
    """24 images to train on and 15 to evaluate on: in folders, in CSV files, in TFRecords."""
    root = tmp_path_factory.mktemp('photos')
    shutil.copytree(data_dir / 'images', root, dirs_exist_ok=True)
    rows = ['path;label;split']
    for split in ('train', 'test'):
        paths = sorted((root / split).rglob('*.jpg'))
        rows += [f'{path.relative_to(root)};{path.parent.name};{split}' for path in paths]
        write_records(root / f'{split}-00000-of-00001', paths)
    (root / 'all.csv').write_text('\n'.join(rows))
    return root


def write_records(path, images):
    """As other programs write them: PNG inside, and no manifest beside."""
    features = tf.train.Feature
    with tf.io.TFRecordWriter(str(path)) as writer:
        for image in images:
            Image.open(image).save(png := image.with_suffix('.tmp'), 'PNG')
            name = image.parent.name
            record = {
                'image/encoded': features(bytes_list=tf.train.BytesList(value=[png.read_bytes()])),
                'image/class/label': features(
                    int64_list=tf.train.Int64List(value=[list(COLORS).index(name)])
                ),
                'image/class/text': features(bytes_list=tf.train.BytesList(value=[name.encode()])),
            }
            png.unlink()
            writer.write(EXAMPLE(features=tf.train.Features(feature=record)).SerializeToString())


@pytest.fixture
def start(launch, tmp_path):
    """Trains the small model in this test's folder; without flags goes on with what it has."""

    def call(train=None, evaluation=None, **flags):
        values = {'model': 'simple', 'image_size': 16, 'data_dir': tmp_path / 'none'}
        if train is not None:
            values |= {'train_metadata': train, 'eval_metadata': evaluation}
        return launch(tmp_path, **values | flags)

    return call


def metrics(folder):
    return json.loads((folder / 'checkpoints' / 'eval' / 'metrics.json').read_text())


@pytest.mark.parametrize(
    ('train', 'evaluation', 'split'),
    [
        ('train', 'test/', 'test'),
        ('all.csv', 'all.csv', 'all.csv'),
        ('train-*', 'test-*', 'test-*'),
    ],
)
def test_a_run_trains_resumes_and_is_evaluated_from_its_folder(
    start, launch, photos, tmp_path, capsys, train, evaluation, split
):
    sources = (photos / train, f'{photos}/{evaluation}')
    assert start(*sources, train_epochs=1) == 0
    assert '24 images of 3 classes to train on, 15 to evaluate on' in capsys.readouterr().out
    assert start(*sources, train_epochs=2) == 0
    assert 'step 8: accuracy' in capsys.readouterr().out
    assert launch(tmp_path, 'evaluate') == 0
    found = metrics(tmp_path)
    assert (found['examples'], found['global_step'], found['split']) == (15, 8, split)
    saved = (tmp_path / 'checkpoints' / 'hparams.yaml').read_text()
    assert 'class_names: [blue, green, red]' in saved


def test_a_run_can_be_evaluated_on_other_data_than_it_was_trained_with(
    start, launch, photos, tmp_path
):
    assert start(photos / 'train', photos / 'test', train_epochs=1) == 0
    for other, examples in (('train', 24), ('all.csv', 15), ('test-*', 15)):
        assert launch(tmp_path, 'evaluate', eval_metadata=photos / other) == 0
        assert metrics(tmp_path)['examples'] == examples


def test_a_class_without_an_image_to_evaluate_on_keeps_its_number(start, photos, tmp_path):
    (photos / 'few.csv').write_text('path,label\ntest/red/0.jpg,red\ntest/red/1.jpg,red\n')
    assert start(photos / 'train', photos / 'few.csv', train_epochs=1) == 0
    history = (tmp_path / 'checkpoints' / 'eval' / 'history.jsonl').read_text()
    assert json.loads(history)['examples'] == 2


def test_a_class_that_was_not_trained_on_ends_the_run_before_it_begins(start, photos, tmp_path):
    (photos / 'new.csv').write_text('path,label\ntest/red/0.jpg,crimson\n')
    with pytest.raises(DataError) as caught:
        start(photos / 'train', photos / 'new.csv')
    expected = f"{photos}/new.csv: holds classes that the training data does not name: 'crimson'"
    assert (caught.value.exit_code, str(caught.value)) == (3, expected)
    assert not (tmp_path / 'checkpoints').exists()


def test_classes_of_any_name_are_trained_on_and_found_again(start, launch, tmp_path):
    names = [b'caf\xe9', b'cost: $5 #1', b"it's", b'[a]*', 'größe'.encode()]
    for seed, name in enumerate(names):
        drawn = draw_images(tmp_path / 'drawn', per_class=2, seed=seed) / 'red'
        target = os.path.join(os.fsencode(tmp_path / 'odd [x]'), name)
        shutil.copytree(os.fsencode(drawn), target)
    source = tmp_path / 'odd [x]'
    assert start(source, source, train_epochs=1) == 0
    assert launch(tmp_path, 'evaluate') == 0
    assert metrics(tmp_path)['examples'] == 10


@pytest.mark.process
@pytest.mark.parametrize('mode', ['train', 'preview'])
def test_a_damaged_image_ends_the_program_with_one_line(tmp_path, mode):
    images = draw_images(tmp_path / 'images', per_class=2)
    path = images / 'red' / '1.jpg'
    path.write_bytes(path.read_bytes()[:-200])
    others = draw_images(tmp_path / 'others', per_class=2, seed=1)
    words = ['--train_metadata', images, '--eval_metadata', others, '--model', 'simple']
    words += ['--image_size', 16, '--model_dir', tmp_path / 'run', '--train_epochs', 1]
    words += ['--best_model_dir', tmp_path / 'best', '--preview_file', tmp_path / 'preview.png']
    done = forked('run.py', mode, *(words if mode == 'preview' else words[:-2]))
    reason = 'damaged (image file is truncated: no end mark)'
    expected = f'error: {path}: {reason}; take it out, or convert the data set\n'
    assert (done.returncode, done.stderr) == (3, expected)
    assert not (tmp_path / 'preview.png').exists()


def test_noise_is_trained_and_evaluated_on_without_a_disk(start, launch, tmp_path, capsys):
    noise = {'use_synthetic_data': None, 'synthetic_classes': 4, 'synthetic_examples': 20}
    assert start(**noise, eval_batch_size=8, train_epochs=1) == 0
    said = capsys.readouterr().out
    assert '20 images of 4 classes to train on, 20 to evaluate on (synthetic data)' in said
    # The last batch has four images, and no more are counted.
    assert launch(tmp_path, 'evaluate') == 0
    found = metrics(tmp_path)
    assert (found['examples'], found['split']) == (20, 'synthetic data')
    assert launch(tmp_path, 'evaluate', eval_batch_size=64) == 0
    again = metrics(tmp_path)
    assert again['examples'] == 20
    assert not (tmp_path / 'none').exists()
