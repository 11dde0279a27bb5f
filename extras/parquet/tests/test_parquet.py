"""Parquet files to labelled images; needs pyarrow where it is more than a message."""

from __future__ import annotations

import importlib.util
import io
import json
import sys

import pytest
from PIL import Image

from extras.parquet.files import Parquet
from library.errors import ConfigError, DataError, ResourceError
from library.preparation.options import SourceOptions
from library.preparation.output import Output

pytestmark = pytest.mark.unit

needs_pyarrow = pytest.mark.skipif(
    importlib.util.find_spec('pyarrow') is None, reason='pyarrow is not installed'
)


def listed(path, **options):
    source = SourceOptions(dataset_dir=str(path), **options)
    return Parquet(source, Output('out', None)).listing()


def refusal(kind, path, **options):
    with pytest.raises(kind) as caught:
        listed(path, **options)
    return str(caught.value).removeprefix(f'{path}: ')


def write(path, columns, names=None):
    """Writes columns; `names` are the class names that the library of the data set keeps."""
    arrow, parquet = importlib.import_module('pyarrow'), importlib.import_module('pyarrow.parquet')
    table = arrow.table(columns)
    if names:
        features = {'label': {'names': names, '_type': 'ClassLabel'}}
        kept = json.dumps({'info': {'features': features}})
        table = table.replace_schema_metadata({'huggingface': kept})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path)
    return path


def picture(color):
    buffer = io.BytesIO()
    Image.new('RGB', (16, 16), color).save(buffer, 'PNG')
    return buffer.getvalue()


def structs(*colors):
    return [{'bytes': picture(color), 'path': f'{color}.png'} for color in colors]


def facts(listing):
    return [
        (image.filename, listing.class_names[image.label], image.split) for image in listing.images
    ]


def test_files_are_told_by_their_ending_and_folders_by_what_they_hold(tmp_path):
    assert Parquet.fits('a.PARQUET')
    assert not Parquet.fits('a.csv')
    assert not Parquet.fits(str(tmp_path))
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / 'train-00000-of-00001.parquet').touch()
    assert Parquet.fits(str(tmp_path))


def test_without_pyarrow_one_line_says_how_to_get_it(tmp_path, monkeypatch):
    (path := tmp_path / 'a.parquet').touch()
    monkeypatch.setitem(sys.modules, 'pyarrow.parquet', None)
    assert refusal(ResourceError, path) == "Parquet needs pyarrow: pip install 'pyarrow<22'"
    assert ResourceError.exit_code == 5


@needs_pyarrow
def test_images_are_read_with_the_names_that_the_file_keeps(tmp_path):
    columns = {'image': structs('red', 'blue', 'red'), 'label': [2, 0, 2], 'note': ['', '', '']}
    path = write(tmp_path / 'a.parquet', columns, ['zebra', 'ox', 'ant'])
    listing = listed(path)
    assert listing.class_names == ('zebra', 'ant')
    assert facts(listing) == [
        ('a.parquet/00000001.png', 'ant', ''),
        ('a.parquet/00000002.png', 'zebra', ''),
        ('a.parquet/00000003.png', 'ant', ''),
    ]
    assert listing.images[1].content == picture('blue')
    assert listing.remarks[0].text == f"{path}: images in 'image', classes in 'label'"


@needs_pyarrow
@pytest.mark.parametrize('place', ['data/{split}-00000-of-00001.parquet', '{split}/0000.parquet'])
def test_names_of_files_or_folders_give_the_splits(tmp_path, place):
    for split in ('train', 'test'):
        columns = {'img': [picture('red'), picture('blue')], 'fine': [10, 9]}
        write(tmp_path / place.format(split=split), columns)
    listing = listed(tmp_path, label_column=('fine',))
    assert listing.class_names == ('9', '10')
    assert sorted({(split, name) for _, name, split in facts(listing)}) == [
        ('test', '10'),
        ('test', '9'),
        ('train', '10'),
        ('train', '9'),
    ]


@needs_pyarrow
def test_paths_are_read_like_those_of_a_csv_file(tmp_path):
    (tmp_path / '1.jpg').write_bytes(b'x')
    columns = {'image_id': ['1'], 'rust': [0], 'scab': [1]}
    listing = listed(write(tmp_path / 'a.parquet', columns))
    assert facts(listing) == [('1.jpg', 'scab', '')]


@needs_pyarrow
@pytest.mark.parametrize(
    ('columns', 'message'),
    [
        ({'image': [None], 'label': [0]}, "row 1: no bytes of an image in 'image'"),
        ({'label': [None]}, 'row 1: no label'),
        ({'label': [[0, 1]]}, 'row 1: several classes: each picture has one class here'),
    ],
)
def test_a_row_without_one_image_and_one_class_is_refused(tmp_path, columns, message):
    rows = {'image': structs('red'), **columns}
    if rows['image'] == [None]:
        rows['image'] = [{'bytes': None, 'path': 'x.png'}]
        arrow = importlib.import_module('pyarrow')
        kind = arrow.struct([('bytes', arrow.binary()), ('path', arrow.string())])
        rows['image'] = arrow.array(rows['image'], kind)
    assert refusal(DataError, write(tmp_path / 'a.parquet', rows)) == message


@needs_pyarrow
def test_a_column_that_is_not_there_is_named(tmp_path):
    path = write(tmp_path / 'a.parquet', {'image': structs('red'), 'kind': [0]})
    message = "no column 'label', 'class' or 'category' (--label_column); its columns are 'image'"
    assert refusal(ConfigError, path).startswith(message)


@needs_pyarrow
def test_no_cut_goes_unnoticed(tmp_path):
    path = write(tmp_path / 'a.parquet', {'image': structs('red'), 'label': [0]})
    whole = path.read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        assert '\n' not in refusal(DataError, path)


@needs_pyarrow
@pytest.mark.train
def test_images_in_parquet_are_converted_and_trained_on(tmp_path, launch, capsys):
    from tests.converting import convert

    for split, count in (('train', 6), ('test', 4)):
        colors = ['red', 'blue'] * count
        pictures = [
            {'bytes': picture((200 + n, 0, 0) if color == 'red' else (0, 0, 200 + n)), 'path': ''}
            for n, color in enumerate(colors)
        ]
        labels = [0 if color == 'red' else 1 for color in colors]
        columns = {'image': pictures, 'label': labels}
        write(tmp_path / 'set' / f'{split}-00000-of-00001.parquet', columns, ['red', 'blue'])
    words = ['--dataset_dir', str(tmp_path / 'set'), '--tfrecord_dir', str(tmp_path / 'out')]
    assert convert(capsys, *words, '--max_edge', '16', '--workers', '1')[0] == 0
    flags = {'model': 'simple', 'image_size': 16, 'data_dir': tmp_path / 'out'}
    assert launch(tmp_path / 'run', train_epochs=1, **flags) == 0
    saved = (tmp_path / 'run' / 'checkpoints' / 'hparams.yaml').read_text()
    assert 'class_names: [red, blue]' in saved
