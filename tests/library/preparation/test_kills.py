"""The program killed at any moment: what it leaves, and that a second run completes it."""

from __future__ import annotations

import random
import re
import shutil
import signal

import pytest

from library.preparation.splits import parse_fractions
from library.records.shards import shard_names
from tests.conftest import draw_images
from tests.forked import run_forked
from tests.library.preparation.conversions import Writer, contents, convert_images

pytestmark = pytest.mark.process

# Gets a signal just before one call of one function.
AT_A_CALL = """
import importlib, os
import convert_dataset
from library.runtime.entry import run_program

signal, module, name, calls, *argv = argv
module, calls = importlib.import_module(module), int(calls)
function = getattr(module, name)

def call(*args, **options):
    global calls
    calls -= 1
    if not calls:
        os.kill(os.getpid(), int(signal))
    return function(*args, **options)

setattr(module, name, call)
status = run_program(convert_dataset.main, argv)
"""

# Dies by SIGKILL at one moment: before anything is done to a file of the output, or to a record.
AT_A_MOMENT = """
import os, signal, sys
import convert_dataset
from library.records import example

output, last, *argv = argv
moments, last = 0, int(last)
encode = example.encode_example

def moment():
    global moments
    moments += 1
    if moments == last:
        os.kill(os.getpid(), signal.SIGKILL)

def watch(event, args):
    if event in ('open', 'os.rename', 'os.remove', 'os.mkdir', 'os.rmdir'):
        if str(args[0]).startswith(output):
            moment()

def encode_example(*args):
    moment()
    return encode(*args)

example.encode_example = encode_example
sys.addaudithook(watch)
convert_dataset.main(argv)
print('moments:', moments)
"""

FRACTIONS = 'train=0.6,validation=0.2,test=0.2'
# What is converted: flags of the program, and the same for `convert_images`.
CASES = {
    'one split': (['--tfrecord_filename', 'train'], {'name': 'train'}),
    'two given splits': ([], {'name': None}),
    'three splits': (
        ['--splits', FRACTIONS, '--split_by', 'exact', '--duplicates', 'drop'],
        {
            'name': None,
            'fractions': parse_fractions(FRACTIONS),
            'split_by': 'exact',
            'duplicates': 'drop',
        },
    ),
}


@pytest.fixture
def images(tmp_path):
    """Three classes of six images, one bad and one of them there twice."""
    folder = draw_images(tmp_path / 'images')
    (folder / 'red' / '0.jpg').write_bytes(b'')
    shutil.copy(folder / 'blue' / '0.jpg', folder / 'blue' / 'copy.jpg')
    return folder


def words(images, output, *flags):
    return [
        *('--dataset_dir', images, '--tfrecord_dir', output, '--max_edge', 64, '--workers', 1),
        *flags,
    ]


def complete(images, output, writer=None, name='train', **options):
    return convert_images(images, output, name, writer=writer, **options)


def finished_shards(folder):
    """When each shard that is finished was written, by its final name."""
    found = {}
    for note in folder.rglob('*.tfrecord.partial.json'):
        shard = note.with_name(note.name.removesuffix('.partial.json'))
        partial = shard.with_name(f'{shard.name}.partial')
        found[shard] = (partial if partial.exists() else shard).stat().st_mtime_ns
    return found


def completes(images, output, undisturbed, case):
    """Asserts that a second run keeps what is finished, and ends in the same files."""
    done, writer = finished_shards(output), Writer()
    complete(images, output, writer, **case)
    assert {path: path.stat().st_mtime_ns for path in done} == done
    complete(images, undisturbed, **case)
    assert contents(output) == contents(undisturbed)


def moments_of(said):
    return int(re.search(r'moments: (\d+)', said)[1])


def test_killed_while_it_writes_it_leaves_no_final_name(images, output, tmp_path):
    call = ('library.records.example', 'encode_example', 12)
    flags, case = CASES['one split']
    status, _ = run_forked(AT_A_CALL, 9, *call, *words(images, output, *flags))
    one, two = shard_names('train', 2)
    assert (status, sorted(contents(output))) == (
        -9,
        [f'{one}.partial', f'{one}.partial.json', f'{two}.partial', 'train.duplicates.csv'],
    )
    completes(images, output, tmp_path / 'undisturbed', case)


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_asked_to_stop_it_keeps_what_is_finished_and_nothing_else(
    images, output, tmp_path, number, code
):
    call = ('library.records.example', 'encode_example', 12)
    flags, case = CASES['one split']
    status, said = run_forked(AT_A_CALL, int(number), *call, *words(images, output, *flags))
    assert (status, said.splitlines()[0]) == (code, 'error: stopped')
    one, _ = shard_names('train', 2)
    left = [f'{one}.partial', f'{one}.partial.json', 'train.duplicates.csv']
    assert sorted(contents(output)) == left
    completes(images, output, tmp_path / 'undisturbed', case)


def test_killed_while_it_renames_it_leaves_no_manifest(images, output, tmp_path):
    flags, case = CASES['one split']
    complete(images, output, random_seed=1)
    # The notes of two shards, the list of images and the first shard come before.
    call = ('library.files', 'replace', 5)
    status, _ = run_forked(AT_A_CALL, 9, *call, *words(images, output, *flags))
    one, two = shard_names('train', 2)
    # The first is new and the second old: the manifest of neither would be true.
    left = [one, f'{one}.partial.json', two, f'{two}.partial', f'{two}.partial.json']
    lists = ['train.duplicates.csv', 'train.images.csv', 'train.rejected.csv']
    assert (status, sorted(contents(output))) == (-9, sorted(left + lists))
    completes(images, output, tmp_path / 'undisturbed', case)


@pytest.mark.parametrize('case', CASES)
def test_killed_at_any_moment_a_second_run_completes_it(images, tmp_path, case):
    if case == 'two given splits':
        draw_images(tmp_path / 'divided' / 'val', per_class=2, seed=1)
        images = images.rename(tmp_path / 'divided' / 'train').parent
    flags, options = CASES[case]
    whole = tmp_path / 'whole'
    status, said = run_forked(AT_A_MOMENT, whole, 0, *words(images, whole, *flags))
    moments = moments_of(said)
    assert (status, moments > 50) == (0, True)
    for moment in random.Random(case).sample(range(1, moments), 4):
        output = tmp_path / f'killed at {moment}'
        status, _ = run_forked(AT_A_MOMENT, output, moment, *words(images, output, *flags))
        assert status == -9
        completes(images, output, whole, options)


def test_killed_over_an_older_conversion_a_second_run_completes_it(images, tmp_path):
    flags, options = CASES['three splits']
    older, whole = tmp_path / 'older', tmp_path / 'whole'
    fractions = parse_fractions('train=0.4,test=0.1,holdout=0.5')
    complete(images, older, name=None, fractions=fractions, duplicates='report', random_seed=1)
    shutil.copytree(older, whole)
    status, said = run_forked(AT_A_MOMENT, whole, 0, *words(images, whole, *flags))
    moments = moments_of(said)
    assert status == 0
    for moment in random.Random(0).sample(range(moments // 2, moments), 4):
        output = tmp_path / f'killed at {moment}'
        shutil.copytree(older, output)
        status, _ = run_forked(AT_A_MOMENT, output, moment, *words(images, output, *flags))
        assert status == -9
        completes(images, output, whole, options)
