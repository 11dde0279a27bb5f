"""How convert_dataset.py ends when something is wrong: one line, and a code for each kind."""

from __future__ import annotations

import os

import pytest

from library import files
from tests.conftest import draw_images
from tests.converting import convert, flags

pytestmark = pytest.mark.unit


@pytest.fixture
def images(tmp_path):
    """Three classes of six images."""
    return draw_images(tmp_path / 'images')


@pytest.fixture
def fails(capsys):
    """Asserts that the program says one line and nothing else."""

    def call(status, message, *words):
        assert convert(capsys, *words) == (status, '', f'error: {message}\n')

    return call


@pytest.mark.process
def test_the_line_and_the_code_are_those_of_the_process(program, tmp_path):
    done = program('convert_dataset.py', *flags(tmp_path / 'gone'))
    expected = f'error: {tmp_path}/gone: no such folder or file (--dataset_dir)\n'
    assert (done.returncode, done.stdout, done.stderr) == (2, '', expected)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('name', ['dataset_dir', 'tfrecord_dir'])
def test_a_missing_flag_is_named(fails, name):
    words = flags('images')
    position = words.index(f'--{name}')
    fails(2, f'--{name} is missing (see --help)', *words[:position], *words[position + 2 :])


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('max_edge', '7', '--max_edge: 7 is out of range, expected >= 8'),
        ('max_edge', 'wide', "--max_edge: 'wide' is not a whole number"),
        ('num_shards', '0', '--num_shards: 0 is out of range, expected 1 <= value <= 99999'),
        ('quality', '101', '--quality: 101 is out of range, expected 1 <= value <= 100'),
        ('workers', '0', '--workers: 0 is out of range, expected 1 <= value <= 1024'),
        ('random_seed', '1.5', "--random_seed: '1.5' is not a whole number"),
        ('max_bad_fraction', 'nan', '--max_bad_fraction: nan is not a finite number'),
        (
            'max_bad_fraction',
            '1.1',
            '--max_bad_fraction: 1.1 is out of range, expected 0 <= value <= 1',
        ),
        (
            'tfrecord_filename',
            'a/train',
            '--tfrecord_filename a/train: a name of at most 200 bytes, without folders (those '
            'belong in --tfrecord_dir), other than auto',
        ),
        (
            'tfrecord_filename',
            '.train',
            '--tfrecord_filename .train: a name of at most 200 bytes, without folders (those '
            'belong in --tfrecord_dir), other than auto',
        ),
        (
            'tfrecord_filename',
            'auto',
            '--tfrecord_filename auto: a name of at most 200 bytes, without folders (those '
            'belong in --tfrecord_dir), other than auto',
        ),
        (
            'tfrecord_filename',
            'ä' * 101,
            f'--tfrecord_filename {"ä" * 101}: a name of at most 200 bytes, without folders (those '
            'belong in --tfrecord_dir), other than auto',
        ),
        (
            'tfrecord_dir',
            os.fsdecode(b'caf\xe9/out'),
            '--tfrecord_dir: its name is not UTF-8, which TensorFlow needs',
        ),
        ('max_edgee', '384', "--max_edgee: unknown; did you mean 'max_edge'?"),
        ('labels', 'gone.txt', 'gone.txt: no such file (--labels)'),
        ('splits', 'train', "--splits train: expected NAME=FRACTION,NAME=FRACTION, not 'train'"),
        ('splits', 'a=0.5', '--splits a=0.5: the fractions sum to 0.5, not 1'),
    ],
)
def test_a_bad_value_is_one_line_and_exit_code_2(fails, name, value, message):
    fails(2, message, *flags('images', **{name: value}))


def test_a_choice_that_there_is_not_is_named(capsys):
    for name, value in (('split_by', 'name'), ('duplicates', 'keep'), ('source', 'cloud')):
        status, _, error = convert(capsys, *flags('images', **{name: value}))
        assert (status, error.startswith(f'error: --{name}: ')) == (2, True)


def test_a_flag_without_effect_is_refused(fails, images):
    for name, value in (('split_by', 'hash'), ('group_by', '(p)')):
        message = f'--{name} has no effect unless --splits or --folds is given'
        fails(2, message, *flags(images, **{name: value}))


def test_more_shards_than_images_are_exit_code_2(fails, images):
    message = '--num_shards 19 is more than the 18 images of train'
    fails(2, message, *flags(images, num_shards=19))


NOT_ALL_AS_WORDS = (
    "'photos': give DATASET_DIR TFRECORD_DIR as words, or --dataset_dir and --tfrecord_dir, "
    'not one of each'
)


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['photos'], NOT_ALL_AS_WORDS),
        (['photos', '--tfrecord_dir', 'records'], NOT_ALL_AS_WORDS),
        (['--tfrecord_dir', 'records', 'photos'], NOT_ALL_AS_WORDS),
        (['--dataset_dir', 'photos2', 'photos'], NOT_ALL_AS_WORDS),
        (['photos', 'records', '--dataset_dir', 'more'], '--dataset_dir is given twice'),
        (['photos', 'records', 'more'], "stray word 'more' on the command line"),
        (['-q', 'photos', 'records'], "stray word '-q' on the command line"),
    ],
)
def test_words_and_flags_for_the_two_folders_are_not_mixed(fails, words, message):
    fails(2, message, *words)


def test_a_folder_without_classes_is_exit_code_3(fails, tmp_path):
    message = f'{tmp_path}: no class folders (expected {tmp_path}/CLASS/IMAGE.jpg)'
    fails(3, message, *flags(tmp_path))


def test_an_empty_class_is_exit_code_3(fails, images):
    (images / 'violet').mkdir()
    fails(
        3,
        f'{images}/violet: the class folder holds no images; if it is none: --classes_at 1',
        *flags(images),
    )


def test_a_class_that_the_file_of_names_lacks_is_exit_code_3(fails, images, write):
    names = write('red\ngreen\n', 'labels.txt')
    expected = f"{images}: holds classes that --labels does not name: 'blue'"
    fails(3, expected, *flags(images, labels=names))


@pytest.mark.graph
def test_too_many_bad_images_are_exit_code_3(fails, images, tmp_path):
    for number in range(6):
        (images / 'red' / f'{number}.jpg').write_bytes(b'<html>404</html>')
    report = f'{tmp_path}/out/train.rejected.csv'
    message = (
        f'6 of 18 images are bad, more than --max_bad_fraction 0.1; most often (6): not an image '
        f'(JPEG, PNG, WEBP, BMP, TIFF, GIF, AVIF or HEIF); see {report}'
    )
    fails(3, message, *flags(images, tmp_path / 'out'))
    assert os.listdir(tmp_path / 'out') == ['train.rejected.csv']


@pytest.mark.graph
def test_nothing_but_bad_images_is_exit_code_3(fails, images):
    for path in images.rglob('*.jpg'):
        path.write_bytes(b'')
    report = f'{images}/train.rejected.csv'
    message = f'none of the 18 images is good; most often (18): empty file; see {report}'
    fails(3, message, *flags(images, max_bad_fraction=1))


@pytest.mark.graph
def test_too_many_bad_images_in_memory_leave_the_report_alone(fails, tmp_path):
    remote = f'ram://{tmp_path}'
    files.make_folder(f'{remote}/red')
    files.write_atomically(f'{remote}/red/bad.jpg', b'')
    report = f'{remote}/train.rejected.csv'
    message = f'none of the 1 images is good; most often (1): empty file; see {report}'
    fails(3, message, *flags(remote, classes_at=1))
    assert files.names_in(remote) == ['red', 'train.rejected.csv']


def test_an_output_folder_that_is_a_file_is_exit_code_5(fails, images, tmp_path):
    file = tmp_path / 'file'
    file.touch()
    fails(5, f'{file}: a file stands where a folder belongs', *flags(images, file))


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_folder_that_may_not_be_written_is_exit_code_5(fails, images, tmp_path):
    (tmp_path / 'closed').mkdir(mode=0o500)
    message = f'{tmp_path}/closed/records: permission denied'
    fails(5, message, *flags(images, tmp_path / 'closed' / 'records'))


def test_a_scheme_that_nothing_here_opens_is_exit_code_5(fails):
    message = (
        's3://bucket/images: s3:// needs the package tensorflow-io, which this project does not '
        'install (paths may be local, gs:// or ram://)'
    )
    fails(5, message, *flags('s3://bucket/images'))


@pytest.mark.process
def test_verbose_shows_where_an_error_came_from(program, tmp_path):
    done = program('convert_dataset.py', *flags(tmp_path), '--verbose')
    assert done.returncode == 3
    assert done.stderr.startswith('Traceback (most recent call last):')
    assert done.stderr.splitlines()[-1].startswith(f'error: {tmp_path}: no class folders')
