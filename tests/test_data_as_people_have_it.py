"""Data sets as Kaggle, TFDS and others give them: one epoch of each, and what a person is told."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tarfile

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from library.errors import DataError
from tests.conftest import COLORS, convert_folder
from tests.converting import convert

pytestmark = pytest.mark.train


@pytest.fixture
def photos(data_dir, tmp_path):
    """24 images to train on and 15 to evaluate on, in one folder each: red.3.jpg."""
    for split in ('train', 'test'):
        (tmp_path / split).mkdir()
        for path in (data_dir / 'images' / split).rglob('*.jpg'):
            shutil.copy(path, tmp_path / split / f'{path.parent.name}.{path.stem}.jpg')
    return tmp_path


def images_of(photos, split):
    """(name, class, content) of each image of a split."""
    for path in sorted((photos / split).iterdir()):
        yield path.stem, path.name.partition('.')[0], path.read_bytes()


@pytest.fixture
def start(launch, photos):
    def call(train, evaluation, **flags):
        values = {'model': 'simple', 'image_size': 16, 'train_epochs': 1}
        given = {'train_metadata': train, 'eval_metadata': evaluation}
        return launch(photos / 'run', **values, **given, **flags)

    return call


def evaluated(photos):
    """How many images the last evaluation saw."""
    history = (photos / 'run' / 'checkpoints' / 'eval' / 'history.jsonl').read_text()
    return json.loads(history.splitlines()[-1])['examples']


def class_names(photos):
    saved = (photos / 'run' / 'checkpoints' / 'hparams.yaml').read_text()
    return re.search(r'class_names: \[(.*)\]', saved)[1].replace("'", '').replace('"', '')


def write_table(path, rows):
    with open(path, 'w', newline='') as file:
        if path.suffix == '.jsonl':
            file.writelines(json.dumps(row) + '\n' for row in rows)
        else:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


@pytest.mark.parametrize(
    ('ending', 'row', 'flags'),
    [
        ('.csv', lambda name, color: {'id': name, 'breed': color}, {}),
        ('.jsonl', lambda name, color: {'file_name': f'{name}.jpg', 'label': color}, {}),
        (
            '.csv',
            lambda name, color: {'image_id': name, 'old': 1} | {c: int(c == color) for c in COLORS},
            {'label_column': ','.join(COLORS)},
        ),
    ],
    ids=['ids', 'json lines', 'columns of 0 and 1'],
)
def test_tables_are_trained_on(start, launch, photos, ending, row, flags):
    for split in ('train', 'test'):
        rows = [row(name, color) for name, color, _ in images_of(photos, split)]
        write_table(photos / split / f'labels{ending}', rows)
    tables = [photos / split / f'labels{ending}' for split in ('train', 'test')]
    assert start(*tables, **flags) == 0
    assert (evaluated(photos), class_names(photos)) == (15, 'blue, green, red')
    if flags:  # which are kept with the run
        assert launch(photos / 'run', 'evaluate') == 0


def test_classes_in_names_of_files_are_trained_on(start, photos):
    assert start(photos / 'train', photos / 'test', label_from_name=r'^([a-z]+)\.') == 0
    assert (evaluated(photos), class_names(photos)) == (15, 'blue, green, red')


def feature(value):
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    values = value if isinstance(value, list) else [value]
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def write_records(path, examples):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for values in examples:
            features = {key: feature(value) for key, value in values.items()}
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())


# Classes of numbers have no names of their own.
@pytest.mark.parametrize(
    ('label', 'names'),
    [
        (lambda color: {'label': sorted(COLORS).index(color)}, '0, 1, 2'),
        (lambda color: {'class': color.encode()}, 'blue, green, red'),
        (lambda color: {'label': [int(c == color) for c in sorted(COLORS)]}, '0, 1, 2'),
    ],
    ids=['numbers', 'texts', 'lists of 0 and 1'],
)
def test_records_with_the_keys_of_others_are_trained_on(start, photos, capsys, label, names):
    for split in ('train', 'test'):
        examples = [
            {'image': content, **label(color)} for _, color, content in images_of(photos, split)
        ]
        # The evaluation has no image of the first class.
        write_records(photos / f'{split}.tfrecord', examples[5 * (split == 'test') :])
    assert start(photos / 'train.tfrecord', photos / 'test.tfrecord', shuffle_buffer=8) == 0
    key = next(iter(label('red')))
    said = capsys.readouterr().err
    assert f"train.tfrecord: images in 'image', classes in '{key}'\n" in said
    assert 'train.tfrecord: records lie sorted by class, and the first 8 to be shuffled' in said
    assert (evaluated(photos), class_names(photos)) == (10, names)


def test_a_class_by_name_that_was_not_trained_on_is_refused(start, photos):
    for split, color in (('train', b'red'), ('test', b'pink')):
        examples = [{'image': image, 'label': color} for _, _, image in images_of(photos, split)]
        write_records(photos / f'{split}.tfrecord', examples[:4])
    with pytest.raises(DataError, match="that the training data does not name: 'pink'"):
        start(photos / 'train.tfrecord', photos / 'test.tfrecord')


def test_a_background_class_keeps_the_numbers(start, photos, capsys):
    for split in ('train', 'test'):
        write_records(
            photos / f'{split}.tfrecord',
            [
                {'image/encoded': content, 'image/class/label': 1 + sorted(COLORS).index(color)}
                for _, color, content in images_of(photos, split)
            ],
        )
    assert start(photos / 'train.tfrecord', photos / 'test.tfrecord') == 0
    assert (
        'labels start at 1, so class 0 (a background class, as Inception has) has no images; the '
        'numbers are kept\n'
    ) in capsys.readouterr().err


def test_a_webdataset_is_converted_and_trained_on(launch, photos, capsys):
    for number, split in enumerate(('train', 'test')):
        with tarfile.open(photos / f'all-{number:03}.tar', 'w') as tar:
            for name, color, content in images_of(photos, split):
                stem = name.replace('.', '_')
                for member, data in ((f'{stem}.jpg', content), (f'{stem}.cls', color.encode())):
                    info = tarfile.TarInfo(member)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
    words = [
        *('--dataset_dir', f'{photos}/all-{{000..001}}.tar', '--tfrecord_dir', f'{photos}/out'),
        *('--max_edge', '32', '--workers', '1', '--splits', 'train=0.8,test=0.2'),
    ]
    code, out, _ = convert(capsys, *words)
    assert code == 0
    assert '39 images of 2 tars, read in place\n' in out
    images = (photos / 'out' / 'train' / 'train.images.csv').read_text()
    assert 'all-000/red_0.jpg' in images or 'all-001/red_0.jpg' in images
    flags = {'model': 'simple', 'image_size': 16, 'train_epochs': 1, 'data_dir': photos / 'out'}
    assert launch(photos / 'run', **flags) == 0
    assert class_names(photos) == 'blue, green, red'


def test_records_of_others_are_converted_with_a_bad_picture_told(launch, photos, capsys):
    examples = [
        {'image': content, 'label': color.encode()}
        for split in ('train', 'test')
        for _, color, content in images_of(photos, split)
    ]
    examples[5]['image'] = examples[5]['image'][:-100]
    write_records(photos / 'theirs.tfrecord', examples)
    code, said, _ = convert(capsys, f'{photos}/theirs.tfrecord', f'{photos}/converted')
    assert code == 0
    assert 'rejected: theirs.tfrecord/000005: damaged (' in said
    run = {'model': 'simple', 'image_size': 16, 'train_epochs': 1}
    assert launch(photos / 'run', data_dir=photos / 'converted', **run) == 0
    assert class_names(photos) == 'blue, green, red'


def test_links_among_the_images_are_followed_where_that_is_asked_for(photos, start):
    for split in ('train', 'test'):
        for path in (photos / split).iterdir():
            folder = photos / f'linked_{split}' / path.name.partition('.')[0]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / path.name).symlink_to(path)
    folders = photos / 'linked_train', photos / 'linked_test'
    with pytest.raises(DataError, match='see --follow_symlinks'):
        start(*folders)
    start(*folders, follow_symlinks=None)
    assert evaluated(photos) == 15


def test_images_as_they_are_are_evaluated_as_converted_ones_of_the_run(launch, tmp_path):
    drawn = np.random.default_rng(0).integers(0, 256, (40, 2, 2, 3), np.uint8)
    for number, pixels in enumerate(drawn):
        path = tmp_path / 'photos' / 'ab'[number % 2] / f'{number}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).resize((200, 150)).save(path)
    convert_folder(tmp_path / 'photos', tmp_path / 'data' / 'train', 'train', max_edge=40)
    shutil.copytree(tmp_path / 'data' / 'train', tmp_path / 'data' / 'test')
    flags = {'model': 'simple', 'image_size': 16, 'train_epochs': 1, 'data_dir': tmp_path / 'data'}
    assert launch(tmp_path / 'run', **flags) == 0
    losses = []
    for given in ({}, {'eval_metadata': tmp_path / 'photos'}):
        assert launch(tmp_path / 'run', 'evaluate', **given) == 0
        metrics = tmp_path / 'run' / 'checkpoints' / 'eval' / 'metrics.json'
        losses.append(json.loads(metrics.read_text())['average_loss'])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
