"""A listing of images to shards and a manifest."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import random
import re
import shutil

import pytest
import tensorflow as tf
from conftest import COLORS, draw_images
from test_workers import exit_at_once

from library import files
from library.errors import ConfigError, DataError, ResourceError
from library.preparation import converter, workers
from library.preparation.converter import convert
from library.preparation.shard_writer import Target
from library.preparation.sources.folder import list_folder
from library.records.example import FILENAME, FORMAT, HEIGHT, LABEL, TEXT, WIDTH
from library.records.manifest import Rejected, from_json
from library.records.shards import shard_names

# Converts in a process of its own, which dies by SIGKILL at one call of one function.
KILLED = """
import importlib, os, signal, sys
import convert_dataset
module, name, calls, *argv = sys.argv[1:]
module, calls = importlib.import_module(module), int(calls)
function = getattr(module, name)

def call(*args):
    global calls
    calls -= 1
    if not calls:
        os.kill(os.getpid(), signal.SIGKILL)
    return function(*args)

setattr(module, name, call)
convert_dataset.main(argv)
"""


def convert_folder(images, output, **options):
    target = Target(str(output), 'train')
    listing = list_folder(str(images), target.owns, target.folder)
    return convert(listing, target, **{'max_edge': 64, 'workers': 1, **options})


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def shards_of(folder):
    return {name: data for name, data in contents(folder).items() if name.endswith('.tfrecord')}


def records(manifest):
    features = {
        key: tf.io.FixedLenFeature([], kind)
        for kind, keys in (
            (tf.string, (FILENAME, FORMAT, TEXT, 'image/encoded')),
            (tf.int64, (HEIGHT, WIDTH, LABEL)),
        )
        for key in keys
    }
    dataset = tf.data.TFRecordDataset(manifest.shard_paths)
    parsed = dataset.map(lambda record: tf.io.parse_single_example(record, features))
    return list(parsed.as_numpy_iterator())


@pytest.fixture
def images(tmp_path):
    """Three classes of six images."""
    return draw_images(tmp_path / 'images')


@pytest.fixture
def output(tmp_path):
    return tmp_path / 'records'


def test_the_manifest_tells_what_the_shards_hold(images, output):
    (images / 'notes.txt').touch()
    (images / 'red' / '0.jpg').write_bytes(b'')
    manifest = convert_folder(images, output, max_edge=16, quality=70, random_seed=3)
    assert manifest.class_names == ('blue', 'green', 'red')
    assert manifest.examples_per_class == {'blue': 6, 'green': 6, 'red': 5}
    assert manifest.examples == 17
    assert manifest.reencoded == 17
    assert manifest.options == {'max_edge': 16, 'quality': 70, 'random_seed': 3}
    assert manifest.rejected == (Rejected('red/0.jpg', 'empty file'),)
    assert manifest.ignored == ('notes.txt',)
    assert [shard.name for shard in manifest.shards] == shard_names('train', 2)


def test_the_manifest_is_a_file_beside_the_shards(images, output):
    manifest = convert_folder(images, output)
    assert sorted(contents(output)) == [*shard_names('train', 2), 'train.json']
    path = str(output / 'train.json')
    assert from_json(files.read_bytes(path), path) == manifest
    assert json.loads(files.read_bytes(path))['examples'] == 18


def test_the_manifest_tells_size_and_digest_of_each_shard(images, output):
    manifest = convert_folder(images, output, num_shards=3)
    for shard in manifest.shards:
        data = (output / shard.name).read_bytes()
        assert shard.bytes == len(data)
        assert shard.sha256 == hashlib.sha256(data).hexdigest()
        assert shard.examples == sum(1 for _ in tf.data.TFRecordDataset(str(output / shard.name)))


def test_each_image_is_stored_once_with_its_label_and_name(images, output):
    found = records(convert_folder(images, output, num_shards=4))
    names = [record[FILENAME].decode() for record in found]
    assert sorted(names) == sorted(f'{color}/{n}.jpg' for color in COLORS for n in range(6))
    for record, name in zip(found, names, strict=True):
        text = name.split('/')[0]
        assert record[TEXT].decode() == text
        assert record[LABEL] == sorted(COLORS).index(text)
        assert record[FORMAT] == b'jpeg'
        assert (record[HEIGHT], record[WIDTH]) == (32, 32)
        assert record['image/encoded'] == (images / name).read_bytes()


def test_only_what_had_to_change_counts_as_encoded_anew(images, output):
    os.truncate(images / 'red' / '0.jpg', 0)
    shutil.copy(images / 'red' / '1.jpg', images / 'red' / 'again.jpg')
    assert convert_folder(images, output).reencoded == 0
    assert convert_folder(images, output, max_edge=31).reencoded == 18


def test_the_classes_are_mixed(images, output):
    labels = [record[LABEL] for record in records(convert_folder(images, output))]
    assert labels != sorted(labels)


def test_the_shards_are_of_even_length(images, output):
    manifest = convert_folder(images, output, num_shards=5)
    assert [shard.examples for shard in manifest.shards] == [4, 4, 3, 4, 3]


def test_there_may_be_one_shard_and_one_image_a_shard(images, output):
    assert len(convert_folder(images, output, num_shards=1).shards) == 1
    manifest = convert_folder(images, output, num_shards=18)
    assert [shard.examples for shard in manifest.shards] == [1] * 18


def test_a_shard_may_stay_empty_where_its_images_are_bad(images, output):
    (images / 'red' / '0.jpg').write_bytes(b'')
    manifest = convert_folder(images, output, num_shards=18)
    assert sorted(shard.examples for shard in manifest.shards) == [0] + [1] * 17
    assert len(records(manifest)) == 17


def test_the_number_of_shards_follows_the_size_of_the_images(images, output, monkeypatch):
    total = sum(path.stat().st_size for path in images.rglob('*.jpg'))
    monkeypatch.setattr(converter, 'SHARD_BYTES', total / 4)
    assert len(convert_folder(images, output, max_edge=1000).shards) == 4
    # Small images are stored whatever the size of their files.
    monkeypatch.setattr(converter, 'SHARD_BYTES', 18 * 0.2 * 16 * 16 / 3)
    assert len(convert_folder(images, output, max_edge=16).shards) == 3


def test_a_single_image_makes_a_single_shard(images, output):
    for color in ('green', 'red'):
        shutil.rmtree(images / color)
    for number in range(1, 6):
        (images / 'blue' / f'{number}.jpg').unlink()
    assert len(convert_folder(images, output).shards) == 1


def test_a_second_run_is_byte_identical_with_the_output_among_the_images(images):
    convert_folder(images, images)
    first = contents(images)
    convert_folder(images, images)
    assert contents(images) == first
    assert sorted(first) == [*shard_names('train', 2), 'train.json']


def test_the_number_of_workers_does_not_matter(images, tmp_path):
    (images / 'red' / '0.jpg').write_bytes(b'')
    convert_folder(images, tmp_path / 'one', workers=1)
    convert_folder(images, tmp_path / 'two', workers=2)
    assert contents(tmp_path / 'one') == contents(tmp_path / 'two')


def test_the_order_in_which_files_lie_on_a_disk_does_not_matter(images, tmp_path, monkeypatch):
    convert_folder(images, tmp_path / 'one')
    paths = sorted(images.rglob('*.jpg'))
    random.Random(1).shuffle(paths)
    for path in paths:
        copy = tmp_path / 'copy' / path.relative_to(images)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    list_names = os.listdir
    monkeypatch.setattr(os, 'listdir', lambda path: sorted(list_names(path), reverse=True))
    convert_folder(tmp_path / 'copy', tmp_path / 'two')
    assert contents(tmp_path / 'one') == contents(tmp_path / 'two')


def test_another_seed_is_another_order_of_the_same_images(images, output):
    names = [
        [record[FILENAME] for record in records(convert_folder(images, output, random_seed=seed))]
        for seed in (0, 1)
    ]
    assert names[0] != names[1]
    assert sorted(names[0]) == sorted(names[1])


def test_shards_of_another_count_are_removed_and_other_data_sets_stay(images, output):
    convert_folder(images, output, num_shards=5)
    others = ['test-00000-of-00001.tfrecord', 'test.json', 'train.txt', 'train2-00000.tfrecord']
    for name in others:
        (output / name).touch()
    convert_folder(images, output, num_shards=2)
    assert sorted(contents(output)) == sorted([*others, *shard_names('train', 2), 'train.json'])


def test_partial_files_of_a_killed_conversion_are_removed(images, output):
    output.mkdir()
    for name in ('train-00006-of-00007.tfrecord', 'train.json', 'train.rejected.csv', 'notes'):
        (output / f'{name}.partial').touch()
    convert_folder(images, output)
    assert sorted(contents(output)) == ['notes.partial', *shard_names('train', 2), 'train.json']


def test_the_report_names_each_rejected_file_with_its_reason(images, output):
    (images / 'red' / '0.jpg').write_bytes(b'')
    (images / 'blue' / 'a, "b".jpg').write_bytes(b'<html>')
    os.mkfifo(images / 'green' / 'pipe.png')
    convert_folder(images, output, max_bad_fraction=0.5)
    with open(output / 'train.rejected.csv', newline='') as file:
        assert list(csv.reader(file)) == [
            ['file', 'reason'],
            ['blue/a, "b".jpg', 'not an image (JPEG or PNG)'],
            ['green/pipe.png', 'not a regular file'],
            ['red/0.jpg', 'empty file'],
        ]


def test_the_report_goes_once_all_images_are_good(images, output):
    (images / 'red' / 'bad.jpg').write_bytes(b'')
    convert_folder(images, output)
    assert (output / 'train.rejected.csv').exists()
    (images / 'red' / 'bad.jpg').unlink()
    convert_folder(images, output)
    assert not (output / 'train.rejected.csv').exists()


def test_too_many_bad_images_leave_the_report_and_nothing_else(images, output):
    for number in range(2):
        (images / 'red' / f'{number}.jpg').write_bytes(b'')
    expected = (
        f'2 of 18 images are bad, more than --max_bad_fraction 0.1; see {output}/train.rejected.csv'
    )
    with pytest.raises(DataError, match=f'^{re.escape(expected)}$'):
        convert_folder(images, output, num_shards=6)
    report = b'file,reason\nred/0.jpg,empty file\nred/1.jpg,empty file\n'
    assert contents(output) == {'train.rejected.csv': report}
    assert DataError.exit_code == 3


def test_too_many_bad_images_leave_an_older_data_set_as_it_was(images, output):
    convert_folder(images, output)
    before = contents(output)
    for number in range(6):
        (images / 'red' / f'{number}.jpg').write_bytes(b'')
    with pytest.raises(DataError, match='6 of 18 images are bad'):
        convert_folder(images, output)
    after = contents(output)
    del after['train.rejected.csv']
    assert after == before


def test_exactly_the_allowed_share_may_be_bad(images, output):
    # 0.29 * 100 is less than 29 in floating point.
    for number in range(53):
        shutil.copy(images / 'red' / '0.jpg', images / 'red' / f'copy{number}.jpg')
    for number in range(29):
        (images / 'blue' / f'bad{number}.jpg').write_bytes(b'')
    assert convert_folder(images, output, max_bad_fraction=0.29).examples == 71
    (images / 'red' / '0.jpg').write_bytes(b'')
    with pytest.raises(DataError, match='30 of 100 images are bad'):
        convert_folder(images, output, max_bad_fraction=0.29)


def test_no_bad_image_may_be_allowed(images, output):
    assert convert_folder(images, output, max_bad_fraction=0.0).examples == 18
    (images / 'red' / '0.jpg').write_bytes(b'')
    with pytest.raises(DataError, match=r'1 of 18 images are bad, more than .* 0\.0;'):
        convert_folder(images, output, max_bad_fraction=0.0)


def test_files_that_the_listing_rejected_count_too(images, output):
    for number in range(3):
        os.mkfifo(images / 'red' / f'pipe{number}.jpg')
    with pytest.raises(DataError, match='3 of 21 images are bad'):
        convert_folder(images, output)


def test_no_good_image_at_all_is_an_error_whatever_is_allowed(images, output):
    for path in images.rglob('*.jpg'):
        path.write_bytes(b'')
    expected = f'^none of the 18 images is good; see {output}/train.rejected.csv$'
    with pytest.raises(DataError, match=expected):
        convert_folder(images, output, max_bad_fraction=1.0)
    assert list(contents(output)) == ['train.rejected.csv']


def test_a_class_without_a_good_image_is_an_error_that_names_it(images, output):
    for path in (images / 'green').iterdir():
        path.write_bytes(b'')
    expected = f"^class 'green' has no good image; see {output}/train.rejected.csv$"
    with pytest.raises(DataError, match=expected):
        convert_folder(images, output, max_bad_fraction=0.5)
    assert list(contents(output)) == ['train.rejected.csv']


def test_names_that_are_no_utf8_reach_records_manifest_and_report(images, output):
    name = os.fsdecode(b'caf\xe9')
    (images / name).mkdir()
    shutil.copy(images / 'red' / '0.jpg', images / name / f'{name}.jpg')
    (images / name / f'bad {name}.jpg').touch()
    convert_folder(images, output)
    manifest = from_json((output / 'train.json').read_bytes(), str(output / 'train.json'))
    assert manifest.class_names == ('blue', name, 'green', 'red')
    assert manifest.rejected == (Rejected(f'{name}/bad {name}.jpg', 'empty file'),)
    (record,) = (each for each in records(manifest) if each[LABEL] == 1)
    assert (record[TEXT], record[FILENAME]) == (b'caf\xe9', b'caf\xe9/caf\xe9.jpg')
    assert b'caf\xe9/bad caf\xe9.jpg' in (output / 'train.rejected.csv').read_bytes()


def test_a_dead_worker_leaves_nothing(images, output, monkeypatch):
    monkeypatch.setattr(workers, 'prepare_chunk', exit_at_once)
    with pytest.raises(ResourceError, match='a worker process died'):
        convert_folder(images, output)
    assert contents(output) == {}


def test_a_full_disk_leaves_nothing(images, output, monkeypatch):
    class FullDisk(tf.io.TFRecordWriter):
        def close(self):
            super().close()
            raise tf.errors.ResourceExhaustedError(None, None, 'No space left on device')

    monkeypatch.setattr(tf.io, 'TFRecordWriter', FullDisk)
    with pytest.raises(tf.errors.ResourceExhaustedError, match='No space left'):
        convert_folder(images, output)
    assert contents(output) == {}


def test_shards_are_on_the_disk_before_they_get_their_names_and_the_manifest_comes_last(
    images, output, monkeypatch
):
    events = []
    for function in (files.sync, files.replace):

        def note(*paths, function=function):
            events.append((function.__name__, os.path.basename(paths[-1])))
            function(*paths)

        monkeypatch.setattr(files, function.__name__, note)
    convert_folder(images, output)
    one, two = shard_names('train', 2)
    in_order = [
        ('sync', f'{one}.partial'),
        ('sync', f'{two}.partial'),
        ('replace', one),
        ('replace', two),
        ('replace', 'train.json'),
    ]
    assert [event for event in events if event in in_order] == in_order


def convert_and_kill(program, images, output, function, calls):
    """Runs the program and kills it at one call of one function; gives the names it leaves."""
    flags = f'--dataset_dir {images} --tfrecord_filename train --tfrecord_dir {output}'
    # Workers hold the pipe that is read here to its end, so they have ended too.
    killed = program(
        '-c', KILLED, *function.split(), calls, *flags.split(), '--max_edge', 64, '--workers', 2
    )
    assert killed.returncode == -9
    return sorted(contents(output))


def test_killed_while_it_writes_it_leaves_no_final_name_and_a_second_run_completes_it(
    program, images, output, tmp_path
):
    left = convert_and_kill(program, images, output, 'library.records.example encode_example', 12)
    assert left == [f'{name}.partial' for name in shard_names('train', 2)]
    convert_folder(images, output)
    convert_folder(images, tmp_path / 'undisturbed')
    assert contents(output) == contents(tmp_path / 'undisturbed')


def test_killed_while_it_renames_it_leaves_no_manifest_and_a_second_run_completes_it(
    program, images, output, tmp_path
):
    convert_folder(images, output, random_seed=1)
    left = convert_and_kill(program, images, output, 'library.files replace', 2)
    one, two = shard_names('train', 2)
    # The first is new and the second old: the manifest of neither would be true.
    assert left == [one, two, f'{two}.partial']
    convert_folder(images, output)
    convert_folder(images, tmp_path / 'undisturbed')
    assert contents(output) == contents(tmp_path / 'undisturbed')


def test_somebody_elses_file_under_the_manifests_name_is_refused(tmp_path):
    images = draw_images(tmp_path / 'images', per_class=1)
    target = Target(str(tmp_path / 'out'), 'train')
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'train.json').write_text('{"annotations": []}')
    listing = list_folder(str(images), is_own=target.owns, output_dir=target.folder)
    with pytest.raises(ConfigError, match=r'train\.json: not of a conversion; choose another'):
        convert(listing, target, max_edge=64, workers=1)
    assert (tmp_path / 'out' / 'train.json').read_text() == '{"annotations": []}'
