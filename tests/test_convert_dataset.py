"""convert_dataset.py as a person runs it: what it writes and what it says."""

from __future__ import annotations

import json
import os
import re
import tarfile

import pytest

from library import files
from library.config.fields import options_of
from library.cores import find_cores
from library.preparation.options import (
    ConversionOptions,
    RunnerOptions,
    SourceChoice,
    SourceOptions,
    SplitOptions,
)
from library.records.split_folders import open_split
from tests.conftest import draw_images
from tests.converting import SHARDS, convert, flags

pytestmark = pytest.mark.graph


def file_contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def images(tmp_path):
    """Three classes of six images."""
    return draw_images(tmp_path / 'images')


@pytest.mark.process
def test_images_are_converted_beside_themselves_and_a_second_run_changes_nothing(
    program, images, capsys
):
    (images / 'loose.jpg').touch()
    (images / 'red' / 'notes.txt').touch()
    (images / 'red' / os.fsdecode(b'caf\xe9.jpg')).touch()
    done = program('convert_dataset.py', *flags(images, workers=None))
    assert done.returncode == 0
    assert done.stderr == ''
    *lines, last = done.stdout.splitlines()
    if cores := find_cores().reason:
        assert cores in lines.pop(0)
    assert lines == [
        'red: 7 images, 1 other file: 1 .txt',
        'ignored (not an image of a class): loose.jpg',
        r'rejected: red/caf\udce9.jpg: empty file',
    ]
    expected = (
        '18 images of 3 classes in 2 shards (0 re-encoded, 1 rejected), SECONDS s: '
        f'{images}/train.json'
    )
    assert re.sub(r'[\d.]+ s:', 'SECONDS s:', last) == expected

    first = file_contents(images)
    own = [*SHARDS, 'train.images.csv', 'train.json', 'train.rejected.csv']
    assert sorted(first) == ['loose.jpg', *own]
    status, out, _ = convert(capsys, *flags(images))
    assert status == 0
    *lines_again, kept, _ = out.splitlines()
    assert lines_again == lines
    assert kept == 'kept: 2 of 2 shards, made from the same images'
    assert file_contents(images) == first


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, 'sched_setaffinity'), reason='no CPU affinity here')
def test_a_process_that_may_use_one_core_has_one_worker(program, images, tmp_path):
    code = (
        'import os, sys, convert_dataset\n'
        'from library.preparation import workers\n'
        'os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n'
        'make_pool = workers.ProcessPoolExecutor\n'
        'def told(count, **others):\n    print("workers:", count)\n'
        '    return make_pool(count, **others)\n'
        'workers.ProcessPoolExecutor = told\n'
        'if __name__ == "__main__":\n    convert_dataset.main(sys.argv[1:])\n'
    )
    done = program('-c', code, *flags(images, tmp_path / 'records', workers=None))
    lines = done.stdout.splitlines()
    if os.cpu_count() > 1:
        told = f'1 of {os.cpu_count()} cores: CPU affinity (--workers takes another number)'
        assert lines.pop(0) == told
    assert lines[0] == 'workers: 1'
    assert (done.returncode, done.stderr) == (0, '')


def test_two_words_make_a_data_set_that_can_be_trained_on(tmp_path, capsys):
    images = draw_images(tmp_path / 'photos', per_class=12)
    status, out, error = convert(capsys, str(images), str(tmp_path / 'dataset'))
    assert (status, error) == (0, '')
    lines = [line for line in out.splitlines() if '--workers' not in line]
    assert lines[0] == f'{images}: no splits of its own, so train=0.8,test=0.2 (--splits)'
    assert 'longest edge: 384 pixels, the default (--max_edge)' in lines
    train, test = (open_split(str(tmp_path / 'dataset'), split) for split in ('train', 'test'))
    assert train.examples + test.examples == 36
    assert train.examples > test.examples > 0
    assert train.splits == ('train', 'test')

    given = flags(images, tmp_path / 'flags', tfrecord_filename=None, splits='train=0.8,test=0.2')
    assert convert(capsys, *given)[0] == 0
    for split in ('train', 'test'):
        assert file_contents(tmp_path / 'dataset' / split) == file_contents(
            tmp_path / 'flags' / split
        )


def test_words_may_stand_behind_flags_and_splits_of_the_data_set_are_kept(tmp_path, capsys):
    draw_images(tmp_path / 'photos' / 'train')
    draw_images(tmp_path / 'photos' / 'val', per_class=2, seed=1)
    words = ['--max_edge', '16', str(tmp_path / 'photos'), str(tmp_path / 'dataset')]
    status, out, _ = convert(capsys, *words)
    assert status == 0
    assert 'no splits' not in out
    assert 'longest edge' not in out
    assert sorted(os.listdir(tmp_path / 'dataset')) == ['train', 'validation']


def test_photos_and_records_may_share_a_folder_and_a_second_run_changes_nothing(images, capsys):
    for kept in (False, True):
        status, out, _ = convert(capsys, str(images), str(images))
        assert status == 0
        assert ('kept: 4 of 4 shards' in out) == kept
    assert sorted(os.listdir(images)) == ['blue', 'green', 'red', 'test', 'train']


def test_long_lists_are_cut_and_say_where_the_rest_is(images, capsys):
    for number in range(12):
        (images / 'red' / f'bad{number:02}.jpg').touch()
        (images / 'red' / f'notes{number:02}.txt').touch()
    status, out, _ = convert(capsys, *flags(images, max_bad_fraction=0.5))
    assert status == 0
    lines = out.splitlines()
    assert lines[:2] == [
        'red: 18 images, 12 other files: 12 .txt',
        f'ignored: 12, all named in {images}/train.json',
    ]
    assert lines[11:13] == [
        'rejected: red/bad09.jpg: empty file',
        f'rejected: 2 more, all named in {images}/train.rejected.csv',
    ]
    assert len(lines) == 14


def test_other_options_reach_the_records(images, capsys):
    status, out, _ = convert(
        capsys, *flags(images, max_edge=16, num_shards=3, random_seed=5, quality=50)
    )
    assert status == 0
    assert '18 images of 3 classes in 3 shards (18 re-encoded, 0 rejected)' in out
    options = json.loads((images / 'train.json').read_text())['options']
    assert (options['max_edge'], options['quality'], options['random_seed']) == (16, 50, 5)


def test_further_formats_are_accepted_where_they_are_named(images, capsys):
    (images / 'red' / 'grey.pgm').write_bytes(b'P5 8 8 255\n' + bytes(64))
    status, out, _ = convert(capsys, *flags(images))
    assert (status, 'rejected: red/grey.pgm: not an image' in out) == (0, True)
    status, out, _ = convert(capsys, *flags(images, extra_formats='PPM'))
    assert (status, '19 images of 3 classes' in out) == (0, True)


def test_links_are_followed_where_the_flag_says_so(images, tmp_path, capsys):
    (images / 'red').rename(tmp_path / 'red')
    (images / 'red').symlink_to(tmp_path / 'red')
    link = 'ignored (not an image of a class): red: symbolic link (see --follow_symlinks)'
    lines = convert(capsys, *flags(images))[1].splitlines()
    assert lines[0] == link
    assert lines[-1].startswith('12 images of 2 classes')
    assert '18 images of 3 classes' in convert(capsys, *flags(images), '--follow_symlinks')[1]


def test_class_names_may_come_from_a_file(images, write, capsys):
    names = write('red\ngreen\nviolet\nblue\n', 'labels.txt')
    status, out, _ = convert(capsys, *flags(images, labels=names))
    assert status == 0
    assert out.splitlines()[0] == 'warning: train has no image of violet'
    assert '18 images of 4 classes' in out


def test_labels_that_are_taken_as_positions_are_reported(images, write, capsys):
    for number, name in enumerate(('red', 'green', 'blue')):
        (images / name).rename(images / str(number))
    names = write('cat\ndog\nbird\n', 'labels.txt')
    status, out, _ = convert(capsys, *flags(images, labels=names))
    line = 'labels are taken as positions in --labels: 0 = cat, 1 = dog, 2 = bird'
    assert (status, out.splitlines()[0]) == (0, line)
    names = write('2\n1\n0\n', 'labels.txt')
    assert 'positions' not in convert(capsys, *flags(images, labels=names))[1]


def test_of_many_positions_ten_are_reported(images, tmp_path, write, capsys):
    for number, path in enumerate(sorted(images.rglob('*.jpg'))):
        (tmp_path / 'many' / str(number)).mkdir(parents=True)
        path.rename(tmp_path / 'many' / str(number) / '0.jpg')
    names = write('\n'.join('abcdefghijklmnopqr'), 'labels.txt')
    out = convert(capsys, *flags(tmp_path / 'many', labels=names))[1]
    told = out.splitlines()[0].removeprefix('labels are taken as positions in --labels: ')
    assert told == '0 = a, 1 = b, 2 = c, 3 = d, 4 = e, 5 = f, 6 = g, 7 = h, 8 = i, 9 = j'


def test_images_and_records_may_lie_in_memory(images, capsys):
    remote = f'ram://{images}'
    (images / 'red' / 'bad.jpg').touch()
    (images / 'loose.jpg').touch()
    for path in images.rglob('*.jpg'):
        target = f'{remote}/{path.relative_to(images)}'
        files.make_folder(os.path.dirname(target))
        files.write_atomically(target, path.read_bytes())

    assert convert(capsys, *flags(images))[0] == 0
    for kept in (False, True):
        status, out, _ = convert(capsys, *flags(remote))
        assert status == 0
        assert ('kept: 2 of 2 shards' in out) == kept
        assert out.startswith(
            'ignored (not an image of a class): loose.jpg\nrejected: red/bad.jpg: empty file\n'
        )
        names = [name for name in files.names_in(remote) if name.startswith('train')]
        assert names == [*SHARDS, 'train.images.csv', 'train.json', 'train.rejected.csv']
    for name in (*SHARDS, 'train.images.csv', 'train.rejected.csv'):
        assert files.read_bytes(f'{remote}/{name}') == (images / name).read_bytes()


def test_records_in_memory_are_the_same_as_on_disk(images, capsys):
    remote = f'ram://{images}/records'
    assert convert(capsys, *flags(images))[0] == 0
    assert convert(capsys, *flags(images, remote))[0] == 0
    for name in (*SHARDS, 'train.images.csv', 'train.json'):
        assert files.read_bytes(f'{remote}/{name}') == (images / name).read_bytes()


@pytest.mark.process
def test_help_names_each_option_with_its_default(program):
    done = program('convert_dataset.py', '--help')
    assert (done.returncode, done.stderr) == (0, '')
    usage = 'usage: convert_dataset.py [DATASET_DIR TFRECORD_DIR] [--OPTION VALUE]'
    assert done.stdout.startswith(usage)
    groups = (SourceChoice, SourceOptions, ConversionOptions, SplitOptions, RunnerOptions)
    for option in (option for group in groups for option in options_of(group)):
        assert f'--{option.name} ' in done.stdout
    text = ' '.join(done.stdout.split())
    assert 'JPEG quality of images that are re-encoded. (default 80, 1 <= value <= 100)' in text


@pytest.mark.process
def test_help_and_errors_need_no_tensorflow(program, images):
    code = (
        'import sys, convert_dataset\n'
        'from library.runtime.entry import run_program\n'
        'run_program(convert_dataset.main, sys.argv[1:])\n'
        "sys.exit('tensorflow' in sys.modules)\n"
    )
    for words in (['--help'], [], flags(images, num_shards=19)):
        assert program('-c', code, *words).returncode == 0


def test_files_are_told_by_their_endings_and_what_programs_left_by_their_names(images, capsys):
    for number in range(12):
        (images / 'red' / '@eaDir' / f'{number}.jpg').mkdir(parents=True)
        (images / 'red' / '@eaDir' / f'{number}.jpg' / 'THUMB.jpg').touch()
        (images / 'blue' / f'x{number}.{("dcm", "dng", "jxl")[number % 3]}').touch()
    status, _, error = convert(capsys, *flags(images))
    told = 'blue: 6 images, 12 other files: 4 .dcm, 4 .dng, 4 .jxl'
    expected = f'error: 12 of 30 files are bad, more than --max_bad_fraction 0.1: {told}\n'
    assert (status, error) == (3, expected)
    status, out, _ = convert(capsys, *flags(images, max_bad_fraction=0.4))
    *lines, last = out.splitlines()
    assert (status, last.split(' in ')[0]) == (0, '18 images of 3 classes')
    assert lines == [
        told,
        'skipped, left by other programs (files): 12 @eaDir',
        f'ignored: 13, all named in {images}/train.json',
    ]


def test_the_level_of_the_classes_may_be_given(images, tmp_path, capsys):
    words = flags(images.parent, tmp_path / 'out', classes_at=1)
    status, out, _ = convert(capsys, *words)
    assert status == 0
    assert (
        out.splitlines()[0] == 'warning: one class alone, images: there is nothing to tell it from'
    )
    words = flags(images / 'labels.csv', tmp_path / 'out', classes_at=1)
    (images / 'labels.csv').write_text('path,label\n')
    status, _, error = convert(capsys, *words)
    message = '--classes_at is an option of the source folder, not of csv'
    assert (status, error) == (2, f'error: {message}\n')


@pytest.mark.parametrize('name', ['photos.zip', 'photos.csv.gz', 'photos'])
def test_an_archive_is_to_be_unpacked(tmp_path, capsys, name):
    with tarfile.open(tmp_path / name, 'w:gz') as archive:
        archive.add(__file__, 'test.py')
    status, _, error = convert(capsys, *flags(tmp_path / name))
    message = f'{tmp_path}/{name}: an archive; unpack it first, and give the folder'
    assert (status, error) == (2, f'error: {message}\n')
