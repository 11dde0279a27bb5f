"""Options to data: converted images, folders, CSV files, TFRecords of others, and noise."""

from __future__ import annotations

import json
import shutil
import struct

import pytest

from library.config.command_line import parse
from library.config.hparams import resolve
from library.config.yaml_sets import Written
from library.errors import ConfigError, DataError
from library.inputs.open_data import open_all, open_data
from library.records.external import ExternalRecords
from library.records.listing import Listing
from library.records.manifest import Manifest
from project.options import CATALOG
from project.sources import SOURCES
from tests.conftest import draw_images

CLASSES = ('blue', 'green', 'red')


@pytest.fixture
def hparams(tmp_path):
    """Options of a run as its command line gives them; a list is a flag with several values."""

    def make(**flags):
        words = ['--model', 'simple', '--model_dir', str(tmp_path / 'run')]
        for name, value in flags.items():
            values = value if isinstance(value, list) else [value]
            words += [f'--{name}', *map(str, values)]
        return resolve(CATALOG, parse(words, CATALOG))

    return make


@pytest.fixture
def opened(hparams):
    """What a run trains on, given this as --train_metadata; `known` are the run's classes."""

    def call(*metadata, known=(), training=True):
        paths = list(metadata)
        params = hparams(train_metadata=paths, eval_metadata=paths)
        return open_data(params, SOURCES, known, training)

    return call


@pytest.fixture
def refusal(opened):
    def call(kind, *metadata, **options):
        with pytest.raises(kind) as caught:
            opened(*metadata, **options)
        return str(caught.value)

    return call


@pytest.fixture
def images(tmp_path):
    return draw_images(tmp_path / 'images', per_class=4)


@pytest.fixture
def shards(tmp_path, images, data_dir):
    """A copy of the converted training images: two shards and their manifest."""
    return shutil.copytree(data_dir / 'train', tmp_path / 'shards')


@pytest.fixture
def csv(images):
    """Writes a CSV file; a row that is a word alone is a class, of one image."""

    def call(*rows, header='path,label'):
        drawn = [f'{color}/{n}.jpg' for color in CLASSES for n in range(4)]
        full = [row if ',' in row else f'{drawn[n]},{row}' for n, row in enumerate(rows)]
        path = images / 'some.csv'
        path.write_text('\n'.join([header, *full]) + '\n')
        return path

    return call


# Folders and CSV files.


def test_a_folder_is_its_images_by_class(opened, images):
    listing = opened(images)
    assert isinstance(listing, Listing)
    assert (listing.class_names, listing.examples) == (CLASSES, 12)
    assert listing.folder == str(images)


@pytest.mark.parametrize(('training', 'count'), [(True, 12), (False, 6)])
def test_of_a_folder_with_splits_each_use_gets_its_own(opened, tmp_path, training, count):
    draw_images(tmp_path / 'photos' / 'train', per_class=4)
    draw_images(tmp_path / 'photos' / 'val', per_class=2)
    assert opened(tmp_path / 'photos', training=training).examples == count


def test_a_split_column_serves_training_and_evaluation(opened, csv):
    rows = ['red/0.jpg,red,train', 'red/1.jpg,red,test', 'red/2.jpg,red,dev']
    path = csv(*rows, 'blue/0.jpg,blue,Training', header='path,label,split')
    train, evaluation = opened(path), opened(path, training=False)
    assert [image.filename for image in train.images] == ['red/0.jpg', 'blue/0.jpg']
    assert [image.filename for image in evaluation.images] == ['red/2.jpg']
    # Whatever a split lacks, all number the same classes.
    assert train.class_names == evaluation.class_names == ('blue', 'red')


def test_without_a_split_for_this_use_it_is_named(refusal, csv):
    path = csv('red/0.jpg,red,train', 'red/1.jpg,red,fold', header='path,label,split')
    message = refusal(ConfigError, path, training=False)
    assert message == f'{path}: has no split validation or test, only train, fold (--eval_metadata)'


def test_a_class_without_images_in_a_split_is_told(opened, tmp_path, capsys):
    draw_images(tmp_path / 'photos' / 'train', per_class=2)
    draw_images(tmp_path / 'photos' / 'test', per_class=2)
    shutil.rmtree(tmp_path / 'photos' / 'train' / 'green')
    listing = opened(tmp_path / 'photos')
    assert (listing.class_names, listing.label_counts) == (CLASSES, (2, 0, 2))
    told = f'warning: {tmp_path}/photos: train has no image of green\n'
    assert capsys.readouterr().err == told
    opened(tmp_path / 'photos', training=False)
    assert capsys.readouterr().err == ''


@pytest.mark.parametrize('both', [True, False])
def test_images_to_evaluate_on_that_are_trained_on_are_told(hparams, tmp_path, capsys, both):
    train = draw_images(tmp_path / 'train', per_class=2)
    test = train if both else draw_images(tmp_path / 'test', per_class=2)
    params = hparams(train_metadata=train, eval_metadata=test)
    open_all(params, None, SOURCES, training=True)
    warning = (
        'warning: 6 of the 6 images to evaluate on are trained on too, so what is measured is '
        'memory\n'
    )
    assert capsys.readouterr().err == warning * both


def test_a_few_missing_images_are_a_warning_and_many_an_error(opened, refusal, csv, capsys):
    path = csv(*['red'] * 9, 'red/gone.jpg,red')
    assert opened(path).examples == 9
    reason = '(red/gone.jpg: row 11: no such file or directory)'
    warning = f'warning: {path}: 1 of 10 images cannot be read {reason}\n'
    assert capsys.readouterr().err == warning
    # Which is over the tenth that a conversion takes by default.
    other = csv(*['red'] * 8, 'red/gone.jpg,red').rename(path.with_name('other.csv'))
    assert refusal(DataError, other).startswith(f'{other}: 1 of 9 images cannot be read (red/gone')


def test_other_files_are_told_and_too_many_of_them_an_error(opened, refusal, images, capsys):
    for number in range(5):
        (images / 'red' / f'{number + 10}.dcm').write_bytes(b'')
    told = 'red: 4 images, 5 other files: 5 .dcm'
    assert refusal(DataError, images) == f'{images}: 5 of 17 files cannot be read ({told})'
    (images / 'red' / '14.dcm').unlink()
    capsys.readouterr()
    assert opened(images).examples == 12
    assert capsys.readouterr().err == 'red: 4 images, 4 other files: 4 .dcm\n'


def test_files_are_images_by_what_they_begin_with(opened, images):
    for path in sorted(images.rglob('*.jpg')):
        path.rename(path.with_name(f'{path.stem}.jpg?w=200' if path.stem == '0' else path.stem))
    listing = opened(images)
    assert listing.examples == 12
    assert [image.filename for image in listing.images][:2] == ['blue/0.jpg?w=200', 'blue/1']


def test_a_layout_that_is_not_certain_is_refused_in_the_words_of_run_py(refusal, images):
    deep = images / 'deep'
    (images / 'red').rename(deep)
    (images / 'red').mkdir()
    deep.rename(images / 'red' / 'deep')
    message = refusal(DataError, images)
    assert message.endswith('or red (convert_dataset.py --classes_at 1)?')


def test_one_class_is_enough_to_evaluate_where_the_run_knows_it(opened, refusal, images):
    for name in ('red', 'blue'):
        shutil.rmtree(images / name)
    listing = opened(images, known=CLASSES, training=False)
    assert [image.label for image in listing.images] == [1] * 4
    message = refusal(DataError, images)
    expected = f'{images}: holds one class folder alone, green: there is nothing to tell it from'
    assert message.startswith(expected)


def test_an_archive_is_to_be_unpacked(refusal, tmp_path):
    path = tmp_path / 'photos.zip'
    path.write_bytes(b'PK\x03\x04')
    expected = f'{path}: an archive; unpack it first, and give the folder (--train_metadata)'
    assert refusal(ConfigError, path) == expected


def test_a_run_keeps_the_order_in_which_it_learned_numbered_classes(hparams, tmp_path):
    images = tmp_path / 'digits'
    for number in range(11):
        drawn = draw_images(tmp_path / 'drawn', per_class=1, seed=number)
        shutil.copytree(drawn / 'red', images / str(number))
    params = hparams(train_metadata=images, eval_metadata=images)
    names = tuple(map(str, range(11)))
    before = tuple(sorted(names))
    for kept, expected in ((None, names), (before, before), (names, names)):
        saved = kept and {'class_names': Written(kept, 'hparams.yaml:1')}
        _, run, train, evaluation = open_all(params, saved, SOURCES, training=True)
        assert run.class_names == train.class_names == evaluation.class_names == expected
        image = next(each for each in train.images if each.filename.startswith('10/'))
        assert expected[image.label] == '10'


# The classes of a run.


def test_labels_are_those_of_the_run(opened, csv):
    listing = opened(csv('red', 'blue'), known=('red', 'green', 'blue'))
    assert [image.label for image in listing.images] == [0, 2]
    assert listing.class_names == ('red', 'green', 'blue')


def test_numbers_are_positions_among_the_names_of_the_run(opened, csv):
    listing = opened(csv('2', '0'), known=CLASSES)
    assert [image.label for image in listing.images] == [2, 0]


@pytest.mark.parametrize(
    ('rows', 'known', 'unknown'),
    [
        (['red', 'pink', 'azure'], CLASSES, "'azure', 'pink'"),
        (['0', '1'], ('0', '2'), "'1'"),
        ([f'c{n}' for n in range(9)], CLASSES, "'c0', 'c1', 'c2', 'c3', 'c4' ..."),
    ],
)
def test_classes_that_were_not_trained_on_are_listed(refusal, csv, rows, known, unknown):
    path = csv(*rows)
    expected = f'{path}: holds classes that the training data does not name: {unknown}'
    assert refusal(DataError, path, known=known) == expected


def test_a_number_that_is_no_position_is_refused(refusal, csv):
    message = refusal(DataError, csv('2', '3'), known=CLASSES)
    assert message.endswith("label '3' is out of range: the training data has 3 classes, 0 to 2")


# TFRecords.


def test_own_shards_are_opened_by_their_manifest(opened, shards):
    manifest = opened(f'{shards}/*.tfrecord')
    assert isinstance(manifest, Manifest)
    assert (manifest.class_names, manifest.examples) == (CLASSES, 24)
    assert opened(f'{shards}//train-*').shard_paths == manifest.shard_paths


def test_some_of_the_own_shards_are_a_part_of_them(opened, shards):
    first, second = (opened(f'{shards}/train-0000{n}-of-*') for n in range(2))
    assert (first.examples, second.examples) == (12, 12)
    assert first.shard_paths == [f'{shards}/train-00000-of-00002.tfrecord']
    assert first.class_names == CLASSES


def test_own_shards_of_two_folders_are_read_together(opened, shards, data_dir):
    records = opened(f'{shards}/*.tfrecord', f'{data_dir}/test/*.tfrecord')
    assert isinstance(records, ExternalRecords)
    assert (records.class_names, records.examples) == (CLASSES, 39)


@pytest.mark.parametrize('other', ['', '{data_dir}/test/*.tfrecord'])
def test_an_own_shard_that_was_cut_between_two_records_is_refused(refusal, shards, data_dir, other):
    path = shards / 'train-00001-of-00002.tfrecord'
    data = path.read_bytes()
    (length,) = struct.unpack('<Q', data[:8])
    path.write_bytes(data[: length + 16])
    others = [other.format(data_dir=data_dir)] if other else []
    message = refusal(DataError, f'{shards}/*.tfrecord', *others)
    assert message.startswith(f'{path}: {length + 16} bytes, but {len(data)} were written')


def test_shards_without_a_manifest_are_those_of_another_program(opened, shards):
    (shards / 'train.json').unlink()
    records = opened(f'{shards}/train*', known=CLASSES)
    assert isinstance(records, ExternalRecords)
    assert (records.class_names, records.examples) == (CLASSES, 24)


def test_records_with_more_or_other_classes_than_the_run_are_refused(refusal, shards):
    (shards / 'train.json').unlink()
    pattern = f'{shards}/train*'
    expected = f'{pattern}: holds the label 2, but there are 2 classes'
    assert refusal(DataError, pattern, known=('blue', 'green')) == expected
    expected = f"{pattern}: label 0 is 'blue', but 'red' in the training data"
    assert refusal(DataError, pattern, known=('red', 'green', 'blue')) == expected


def test_records_name_fewer_classes_than_the_run_or_none(opened, shards):
    (shards / 'train.json').unlink()
    for known in ((*CLASSES, 'violet'), ('0', '1', '2')):
        assert opened(f'{shards}/train*', known=known).class_names == known


def test_what_an_unquoted_pattern_finds_beside_own_shards_is_left_out(opened, shards):
    (shards / 'train.rejected.csv').write_text('file,reason\n')
    found = sorted(shards.glob('train*'))
    assert {path.suffix for path in found} == {'.tfrecord', '.csv', '.json'}
    assert opened(*found).shard_paths == opened(f'{shards}/train*').shard_paths
    first = [path for path in found if '00001-of' not in path.name]
    assert opened(*first).examples == 12


# What is not there, or not given.


@pytest.mark.parametrize('name', ['typo-*', 'typo.csv', 'typo', 'images/red/0.jpg', 'none/*'])
def test_nothing_is_named_with_its_flag(refusal, images, name):
    path = images.parent / name
    for training, flag in ((True, '--train_metadata'), (False, '--eval_metadata')):
        message = refusal(ConfigError, path, training=training)
        assert message == f'{path}: no TFRecord files, CSV file or folder of images ({flag})'


def test_a_pattern_without_files_beside_one_with_some_is_refused(refusal, shards):
    message = refusal(ConfigError, f'{shards}/train*', f'{shards}/typo*')
    assert message.startswith(f'{shards}/typo*: no TFRecord files')


def test_a_folder_beside_something_else_is_refused(refusal, shards, images):
    message = refusal(ConfigError, f'{shards}/train*', images)
    assert message == f'{images}: a folder or CSV file is given alone (--train_metadata)'


@pytest.mark.parametrize(('folder', 'pattern'), [('', '*'), ('train/', 'SPLIT/*')])
def test_a_folder_of_records_of_other_programs_says_how_they_are_given(
    refusal, tmp_path, folder, pattern
):
    path = tmp_path / 'others' / f'{folder}data.tfrecord'
    path.parent.mkdir(parents=True)
    path.touch()
    expected = f"{tmp_path}/others: holds TFRecords: give them as '{tmp_path}/others/{pattern}'"
    assert refusal(ConfigError, tmp_path / 'others') == f'{expected} (--train_metadata)'


def test_a_folder_of_shards_says_how_they_are_given(refusal, shards):
    expected = f"{shards}: holds converted images: give them as '{shards}/*.tfrecord'"
    assert refusal(ConfigError, shards) == expected


@pytest.mark.parametrize(('given', 'missing'), [('train', 'eval'), ('eval', 'train')])
def test_one_of_the_two_alone_is_refused(hparams, images, given, missing):
    params = hparams(**{f'{given}_metadata': images})
    with pytest.raises(ConfigError) as caught:
        open_all(params, None, SOURCES, training=True)
    assert str(caught.value) == f'--{missing}_metadata is missing: give both, or none'


def test_a_run_that_knows_its_classes_can_do_without_data(hparams):
    saved = {'class_names': Written(('cat', 'dog'), 'run/hparams.yaml:9')}
    _, found, train, test = open_all(
        hparams(data_dir='/none'), saved, SOURCES, False, evaluating=False
    )
    assert (found.class_names, train, test) == (('cat', 'dog'), None, None)


def test_noise_needs_no_data(hparams):
    flags = {'use_synthetic_data': [], 'synthetic_classes': 3, 'synthetic_examples': 7}
    _, found, train, test = open_all(
        hparams(**flags, data_dir='/none'), None, SOURCES, training=True
    )
    assert train == test
    assert (test.examples, test.folder) == (7, 'synthetic data')
    assert found.class_names == ('class 0', 'class 1', 'class 2')


OF_EARLIER_VERSION = {'class_names': Written(CLASSES, 'run/hparams.yaml:9')}
OF_THIS_VERSION = OF_EARLIER_VERSION | {'keep_colors': Written('false', 'run/hparams.yaml:10')}


@pytest.mark.parametrize(
    ('saved', 'words', 'kept'),
    [
        (None, {}, False),
        (OF_THIS_VERSION, {}, False),
        (OF_EARLIER_VERSION, {}, True),
        (OF_EARLIER_VERSION, {'keep_colors=false': []}, False),
    ],
)
@pytest.mark.parametrize('training', [True, False])
def test_a_run_of_an_earlier_version_keeps_colours_unless_it_is_told_otherwise(
    hparams, images, saved, words, kept, training
):
    params = hparams(train_metadata=images, eval_metadata=images, **words)
    found, run, train, evaluation = open_all(params, saved, SOURCES, training)
    assert found.keep_colors is kept
    assert evaluation.pictures['keep_colors'] is kept
    if training:
        assert train.pictures['keep_colors'] is kept
        assert json.loads(run.stored_pictures)['keep_colors'] is kept
