"""convert_dataset.py as a person runs it: what it writes, what it says, how it ends."""

from __future__ import annotations

import os
import re
import signal

import pytest
from conftest import draw_images

import convert_dataset
from library import files
from library.config.fields import options_of
from library.preparation.options import ConversionOptions
from library.runtime.entry import run_program

SHARDS = ['train-00000-of-00002.tfrecord', 'train-00001-of-00002.tfrecord']


def flags(images, output=None, **others):
    """The command line of the README, and more."""
    values = {
        'dataset_dir': images,
        'tfrecord_filename': 'train',
        'tfrecord_dir': images if output is None else output,
        'max_edge': 384,
        **others,
    }
    return [str(word) for name, value in values.items() for word in (f'--{name}', value)]


def file_contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def images(tmp_path):
    """Three classes of six images."""
    return draw_images(tmp_path / 'images')


@pytest.fixture
def convert_here(capsys):
    """Runs the program in this process, which has TensorFlow already: (status, stdout, stderr)."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*argv):
        status = run_program(convert_dataset.main, [*argv, '--workers', '1'])
        return status, *capsys.readouterr()

    yield run
    signal.signal(signal.SIGTERM, handler)


def test_images_are_converted_beside_themselves_and_a_second_run_changes_nothing(
    program, images, convert_here
):
    (images / 'loose.jpg').touch()
    (images / 'red' / 'notes.txt').touch()
    (images / 'red' / os.fsdecode(b'caf\xe9.jpg')).touch()
    done = program('convert_dataset.py', *flags(images))
    assert done.returncode == 0
    assert done.stderr == ''
    *lines, last = done.stdout.splitlines()
    assert lines == [
        'ignored (not an image of a class): loose.jpg',
        'ignored (not an image of a class): red/notes.txt',
        r'rejected: red/caf\udce9.jpg: empty file',
    ]
    expected = (
        '18 images of 3 classes in 2 shards (0 encoded anew, 1 rejected), SECONDS s: '
        f'{images}/train.json'
    )
    assert re.sub(r'[\d.]+ s:', 'SECONDS s:', last) == expected

    first = file_contents(images)
    assert sorted(first) == ['loose.jpg', *SHARDS, 'train.json', 'train.rejected.csv']
    status, out, _ = convert_here(*flags(images))
    assert status == 0
    assert out.splitlines()[:-1] == lines
    assert file_contents(images) == first


def test_too_many_bad_images_are_one_line_and_exit_code_3(program, images, tmp_path):
    for number in range(6):
        (images / 'red' / f'{number}.jpg').write_bytes(b'<html>404</html>')
    done = program('convert_dataset.py', *flags(images, tmp_path / 'out'))
    report = f'{tmp_path}/out/train.rejected.csv'
    assert (done.returncode, done.stdout) == (3, '')
    assert done.stderr == (
        f'error: 6 of 18 images are bad, more than --max_bad_fraction 0.1; see {report}\n'
    )
    assert os.listdir(tmp_path / 'out') == ['train.rejected.csv']


def test_nothing_but_bad_images_is_exit_code_3(images, convert_here):
    for path in images.rglob('*.jpg'):
        path.write_bytes(b'')
    status, _, error = convert_here(*flags(images, max_bad_fraction=1))
    expected = f'error: none of the 18 images is good; see {images}/train.rejected.csv\n'
    assert (status, error) == (3, expected)


def test_long_lists_are_cut_and_say_where_the_rest_is(images, convert_here):
    for number in range(12):
        (images / 'red' / f'bad{number:02}.jpg').touch()
        (images / 'red' / f'notes{number:02}.txt').touch()
    status, out, _ = convert_here(*flags(images, max_bad_fraction=0.5))
    assert status == 0
    lines = out.splitlines()
    assert lines[9:11] == [
        'ignored (not an image of a class): red/notes09.txt',
        f'ignored: 2 more, all named in {images}/train.json',
    ]
    assert lines[20:22] == [
        'rejected: red/bad09.jpg: empty file',
        f'rejected: 2 more, all named in {images}/train.rejected.csv',
    ]
    assert len(lines) == 23


def test_other_options_reach_the_records(images, convert_here):
    status, out, _ = convert_here(
        *flags(images, max_edge=16, num_shards=3, random_seed=5, quality=50)
    )
    assert status == 0
    assert '18 images of 3 classes in 3 shards (18 encoded anew, 0 rejected)' in out
    text = (images / 'train.json').read_text()
    assert re.search('"max_edge": 16,\n *"quality": 50,\n *"random_seed": 5\n', text)


def test_links_are_followed_where_the_flag_says_so(images, convert_here, tmp_path):
    (images / 'red').rename(tmp_path / 'red')
    (images / 'red').symlink_to(tmp_path / 'red')
    assert '12 images of 2 classes' in convert_here(*flags(images))[1]
    assert '18 images of 3 classes' in convert_here(*flags(images), '--follow_symlinks')[1]


def test_images_and_records_may_lie_in_memory(images, convert_here):
    remote = f'ram://{images}'
    (images / 'red' / 'bad.jpg').touch()
    (images / 'loose.jpg').touch()
    for path in images.rglob('*.jpg'):
        target = f'{remote}/{path.relative_to(images)}'
        files.make_folder(os.path.dirname(target))
        files.write_atomically(target, path.read_bytes())

    assert convert_here(*flags(images))[0] == 0
    for _ in range(2):
        status, out, _ = convert_here(*flags(remote))
        assert status == 0
        assert out.startswith(
            'ignored (not an image of a class): loose.jpg\nrejected: red/bad.jpg: empty file\n'
        )
        names = [name for name in files.names_in(remote) if name.startswith('train')]
        assert names == [*SHARDS, 'train.json', 'train.rejected.csv']
    for name in (*SHARDS, 'train.rejected.csv'):
        assert files.read_bytes(f'{remote}/{name}') == (images / name).read_bytes()


def test_records_in_memory_are_the_same_as_on_disk(images, convert_here):
    remote = f'ram://{images}/records'
    assert convert_here(*flags(images))[0] == 0
    assert convert_here(*flags(images, remote))[0] == 0
    for name in (*SHARDS, 'train.json'):
        assert files.read_bytes(f'{remote}/{name}') == (images / name).read_bytes()


def test_too_many_bad_images_in_memory_leave_the_report_alone(convert_here, tmp_path):
    remote = f'ram://{tmp_path}'
    files.make_folder(f'{remote}/red')
    files.write_atomically(f'{remote}/red/bad.jpg', b'')
    status, _, error = convert_here(*flags(remote))
    expected = f'error: none of the 1 images is good; see {remote}/train.rejected.csv\n'
    assert (status, error) == (3, expected)
    assert files.names_in(remote) == ['red', 'train.rejected.csv']


def fails(done, status, message):
    """Asserts that a program said one line and nothing else."""
    assert (done.returncode, done.stdout, done.stderr) == (status, '', f'error: {message}\n')


@pytest.mark.parametrize('name', ['dataset_dir', 'tfrecord_filename', 'tfrecord_dir', 'max_edge'])
def test_a_missing_flag_is_named(program, name):
    words = flags('images')
    position = words.index(f'--{name}')
    done = program('convert_dataset.py', *words[:position], *words[position + 2 :])
    fails(done, 2, f'--{name} is missing (see --help)')


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
            '--tfrecord_filename a/train: a name, without folders (those belong in --tfrecord_dir)',
        ),
        ('max_edgee', '384', "--max_edgee: unknown; did you mean 'max_edge'?"),
    ],
)
def test_a_bad_value_is_one_line_and_exit_code_2(program, name, value, message):
    fails(program('convert_dataset.py', *flags('images', **{name: value})), 2, message)


def test_a_missing_folder_is_exit_code_2(program, tmp_path):
    done = program('convert_dataset.py', *flags(tmp_path / 'gone'))
    fails(done, 2, f'{tmp_path}/gone: no such folder (--dataset_dir)')
    assert os.listdir(tmp_path) == []


def test_more_shards_than_images_are_exit_code_2(program, images):
    done = program('convert_dataset.py', *flags(images, num_shards=19))
    fails(done, 2, '--num_shards 19 is more than the 18 images')


def test_a_folder_without_classes_is_exit_code_3(program, tmp_path):
    done = program('convert_dataset.py', *flags(tmp_path))
    expected = f'{tmp_path}: no class folders (expected {tmp_path}/CLASS/IMAGE.jpg)'
    fails(done, 3, expected)


def test_an_empty_class_is_exit_code_3(program, images):
    (images / 'violet').mkdir()
    done = program('convert_dataset.py', *flags(images))
    fails(done, 3, f'{images}/violet: the class folder holds no images')


def test_an_output_folder_that_is_a_file_is_exit_code_5(program, images, tmp_path):
    (tmp_path / 'file').touch()
    done = program('convert_dataset.py', *flags(images, tmp_path / 'file'))
    fails(done, 5, f'{tmp_path}/file: file exists')


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_folder_that_may_not_be_written_is_exit_code_5(program, images, tmp_path):
    (tmp_path / 'closed').mkdir(mode=0o500)
    done = program('convert_dataset.py', *flags(images, tmp_path / 'closed' / 'records'))
    fails(done, 5, f'{tmp_path}/closed/records: permission denied')


def test_a_scheme_that_nothing_here_opens_is_exit_code_5(program):
    done = program('convert_dataset.py', *flags('s3://bucket/images'))
    expected = (
        's3://bucket/images: s3:// needs the package tensorflow-io, which this project does not '
        'install (paths may be local, gs:// or ram://)'
    )
    fails(done, 5, expected)


def test_verbose_shows_where_an_error_came_from(program, tmp_path):
    done = program('convert_dataset.py', *flags(tmp_path), '--verbose')
    assert done.returncode == 3
    assert done.stderr.startswith('Traceback (most recent call last):')
    assert done.stderr.splitlines()[-1].startswith(f'error: {tmp_path}: no class folders')


def test_help_names_each_option_with_its_default(program):
    done = program('convert_dataset.py', '--help')
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith('usage: convert_dataset.py [--OPTION VALUE]')
    for option in options_of(ConversionOptions):
        assert f'--{option.name} ' in done.stdout
    text = ' '.join(done.stdout.split())
    assert 'JPEG quality of images that are encoded anew. (default 80, 1 <= value <= 100)' in text


def test_help_and_errors_need_no_tensorflow(program, images):
    code = (
        'import sys, convert_dataset\n'
        'from library.runtime.entry import run_program\n'
        'run_program(convert_dataset.main, sys.argv[1:])\n'
        "sys.exit('tensorflow' in sys.modules)\n"
    )
    for words in (['--help'], [], flags(images, num_shards=19)):
        assert program('-c', code, *words).returncode == 0
