"""What pixels mean, from a conversion and without one, through training to predictions."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil

import numpy as np
import pytest
import yaml
from PIL import Image

from library.preparation.images import prepare_image
from library.preparation.pictures.picture_options import PictureOptions
from library.records.example import read_file
from library.records.framing import read_records, walk
from tests.converting import convert

BACKGROUND = (10, 200, 30)
FLAGS = {'background': '10,200,30', 'bands': '1,2,3', 'white_value': '4095', 'black_value': '15'}
PICTURES = PictureOptions(
    background=BACKGROUND, bands=(1, 2, 3), white_value='4095', black_value='15'
)


def draw(folder, seed):
    """Cut-outs, grey and colour of 12 bits, and TIFFs with infrared, of two classes."""
    random = np.random.default_rng(seed)
    for label, name in enumerate(('dark', 'light')):
        (folder / name).mkdir(parents=True)
        level = 900 + 2000 * label
        for number in range(3):
            deep = np.clip(random.normal(level, 300, (32, 24)), 0, 4095).astype(np.uint16)
            Image.fromarray(deep).save(folder / name / f'deep{number}.png')
            shown = Image.fromarray((deep // 16).astype(np.uint8)).convert('RGB')
            shown.putalpha(Image.fromarray(np.uint8(np.arange(768).reshape(32, 24) % 3 * 127)))
            shown.save(folder / name / f'cut-out{number}.png')
            shown.save(folder / name / f'infrared{number}.tif')
    return folder


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """DIR/images/{train,test} as they were, and DIR/{train,test} converted."""
    root = tmp_path_factory.mktemp('pictures')
    for seed, split in enumerate(('train', 'test')):
        draw(root / 'images' / split, seed)
    return root


@pytest.fixture(scope='module')
def converted(data):
    import convert_dataset

    words = [str(data / 'images'), str(data), '--max_edge', '24', '--workers', '1']
    words += [word for name, value in FLAGS.items() for word in (f'--{name}', value)]
    assert convert_dataset.main(words) == 0
    return data


def stored_in(folder):
    """The JPEGs of a split's records by the names of their files below the split."""
    found = {}
    for shard in sorted(folder.glob('*.tfrecord')):
        starts, problem = walk(str(shard))
        assert not problem
        found |= dict(map(read_file, read_records(str(shard), starts)))
    return {name.partition('/')[2]: jpeg for name, jpeg in found.items()}


def predictions(launch, folder, given):
    output = folder / 'predictions.csv'
    assert launch(folder, 'predict', predict_input=given, predict_output=output) == 0
    with open(output, newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert all(not row['error'] for row in rows)
    return {
        os.path.relpath(row['file'], given).rsplit('.')[0]: {
            row['class']: float(row['probability']),
            row['class_2']: float(row['probability_2']),
        }
        for row in rows
    }


def written(jpegs, folder):
    """Writes JPEGs under the names of their pictures."""
    for name, jpeg in jpegs.items():
        path = (folder / name).with_suffix('.jpg')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg)
    return folder


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, probabilities in expected.items():
        assert found[name] == pytest.approx(probabilities, abs=1e-6), name


def test_a_conversion_stores_pixels_as_its_options_say(converted):
    stored = stored_in(converted / 'test')
    assert len(stored) == 18
    for name, jpeg in stored.items():
        original = (converted / 'images' / 'test' / name).read_bytes()
        assert jpeg == prepare_image(original, 24, 80, pictures=PICTURES).jpeg
    deep = np.asarray(Image.open(converted / 'images' / 'test' / 'light' / 'deep0.png'), float)
    pixels = np.asarray(Image.open(io.BytesIO(stored['light/deep0.png'])), float)
    expected = (deep.mean() - 15) / (4095 - 15) * 255
    assert pixels.mean() == pytest.approx(expected, abs=2)


def test_a_converted_run_predicts_on_files_what_it_evaluates(launch, converted, tmp_path, capsys):
    assert launch(tmp_path, data_dir=converted, model='simple', image_size=16) == 0
    assert 'read with' not in capsys.readouterr().err
    on_files = predictions(launch, tmp_path, converted / 'images' / 'test')
    jpegs = written(stored_in(converted / 'test'), tmp_path / 'jpegs')
    assert_same(on_files, predictions(launch, tmp_path, jpegs))
    capsys.readouterr()
    assert launch(tmp_path, 'export', export_dir=tmp_path / 'models') == 0
    flags = '--bands 1,2,3 --black_value 15 --white_value 4095'
    assert f'warning: an exported model does not apply {flags}: send' in capsys.readouterr().out


def test_a_run_without_conversion_does_as_a_converted_one(launch, data, tmp_path):
    folders = {f'{each}_metadata': data / 'images' / split for each, split in SPLITS}
    flags = {'model': 'simple', 'image_size': 16, **folders, **FLAGS}
    assert launch(tmp_path, **flags) == 0
    kept = yaml.safe_load((tmp_path / 'checkpoints' / 'hparams.yaml').read_text())
    assert json.loads(kept['stored_pictures']) == PICTURES.to_json()
    images = data / 'images' / 'test'
    prepared = {
        str(path.relative_to(images)): prepare_image(
            path.read_bytes(), 65_500, 80, pictures=PICTURES
        ).jpeg
        for path in images.rglob('*.*')
    }
    on_files = predictions(launch, tmp_path, images)
    jpegs = written(prepared, tmp_path / 'jpegs')
    assert_same(on_files, predictions(launch, tmp_path, jpegs))


SPLITS = (('train', 'train'), ('eval', 'test'))


def test_a_test_set_that_was_converted_otherwise_is_told(launch, converted, tmp_path, capsys):
    other = tmp_path / 'other'
    shutil.copytree(converted / 'train', other / 'train')
    words = ['--tfrecord_filename', 'test', '--tfrecord_dir', str(other / 'test')]
    words = ['--dataset_dir', str(converted / 'images' / 'test'), *words, '--max_edge', '24']
    assert convert(capsys, *words, '--workers', '1')[0] == 0
    assert launch(tmp_path, data_dir=other, model='simple', image_size=16) == 0
    flags = '--background 10,200,30 --bands 1,2,3 --black_value 15 --white_value 4095'
    assert (
        f'warning: {other}/test was read with none of these options, but the training images were '
        f'read with {flags}: the model sees other pictures\n'
    ) in capsys.readouterr().err
