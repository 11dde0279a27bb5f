"""Features computed, kept, found again, and computed anew where they no longer fit."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import re
import shutil
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import run
from library.errors import DataError
from library.models import code_digest
from library.modes.feature_cache import building, plan
from library.modes.feature_cache.cache import NOT_AUGMENTED, with_cached_features
from library.modes.feature_cache.plan import plan_features
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.preparation.sources.folder import Folder
from library.records import feature_manifest
from library.records.feature_manifest import MANIFEST, UNFINISHED, read_manifest
from library.records.features import parse_features
from library.runtime.distribution import Distribution
from library.runtime.entry import run_program
from tests.conftest import ROOT, convert_folder, draw_images
from tests.forked import forked
from tests.processes import wait_until

EVAL = tf.estimator.ModeKeys.EVAL


@pytest.fixture
def data(data_dir, tmp_path):
    """A copy of the data set, of 24 and 15 images, to keep features beside."""
    for split in ('train', 'test'):
        shutil.copytree(data_dir / split, tmp_path / 'data' / split)
    return tmp_path / 'data'


@pytest.fixture
def words(data, module_dir, tmp_path):
    def make(*more):
        values = {
            'data_dir': data,
            'module': module_dir,
            'model_dir': tmp_path / 'run',
            'best_model_dir': tmp_path / 'best',
            'config_file': ROOT / 'project.yaml',
            'hyperparameter_file': ROOT / 'hyperparameters.yaml',
            'eval_batch_size': 4,
        }
        named = {word[2:].partition('=')[0] for word in more}
        usual = [f'--{name}={value}' for name, value in values.items() if name not in named]
        return [*usual, *more]

    return make


@pytest.fixture
def experiment(words):
    """A run on images, before it is looked for features."""

    def make(*more):
        more = more or ('--no_augmentation',)
        return run.open_experiment(['train', *words(*more)])

    return make


@pytest.fixture
def small_shards(monkeypatch):
    """At most 7 images in each: 4 shards of 6 training images, 3 of 5 test images."""
    monkeypatch.setattr(plan, 'IMAGES_PER_SHARD', 7)


@pytest.fixture
def computed(capsys):
    """How many images were computed since the last call, by what was said."""

    def count():
        said = capsys.readouterr().out
        found = re.search(r'features instead of images: (?:all|(\d+) of) \d+', said)
        assert found, said
        return int(found[1] or 0)

    return count


def with_features(experiment):
    return with_cached_features(experiment, None)


def stored(folder):
    """Features and labels of a folder, in stored order."""
    manifest = read_manifest(folder, MANIFEST)
    paths = [path for copy in manifest.paths_of_copies for path in copy]
    records = list(tf.data.TFRecordDataset(paths).as_numpy_iterator())
    features, labels = parse_features(tf.constant(records), manifest.depth)
    return features.numpy(), labels.numpy()


def seen_by_the_module(module_dir, experiment, training, augmented=False, first=0):
    """The same by hand: the module, in eager mode, over the images as the model sees them."""
    module = tf.saved_model.load(str(module_dir))
    images = experiment.stored_images(training, augmented, first)
    batches = [
        (module(tf.cast(each['image'], tf.float32) / 255.0, training=False), labels)
        for each, labels in images
    ]
    return tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))


def test_features_are_those_that_the_module_gives_to_each_image_in_stored_order(
    experiment, module_dir, small_shards, data
):
    images = experiment()
    features = with_features(images)
    for training, folder in (
        (True, features.run.train_features),
        (False, features.run.eval_features),
    ):
        expected, expected_labels = seen_by_the_module(module_dir, images, training)
        found, labels = stored(folder)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert labels.tolist() == expected_labels.tolist()
    folder = features.run.train_features
    assert re.fullmatch(rf'{data}/\.features/train-[0-9a-f]{{16}}', folder)
    # 24 images in shards of at most 7.
    names = [f'train-0000{number}-of-00004.tfrecord' for number in range(4)]
    assert sorted(os.listdir(folder)) == ['.lock', MANIFEST, *names]


def test_a_run_that_is_not_for_features_stays_as_it_is(experiment, data):
    images = experiment('--no_cache_features', '--no_augmentation')
    assert with_features(images) is images
    assert not (data / '.features').exists()


def test_what_is_there_is_not_computed_again_by_another_run(experiment, computed, tmp_path):
    first = with_features(experiment())
    assert computed() == 24 + 15
    again = with_features(experiment('--no_augmentation', f'--model_dir={tmp_path}/other'))
    assert computed() == 0
    assert again.run.train_features == first.run.train_features


def test_the_line_says_what_is_computed_and_where(experiment, capsys, data):
    with_features(experiment())
    said = capsys.readouterr().out
    assert said.startswith('features instead of images: 39 of 39 to compute, in ')
    assert f'{data}/.features/train-' in said
    with_features(experiment())
    assert capsys.readouterr().out.startswith('features instead of images: all 39 are there, in ')


def test_one_split_that_is_trained_and_evaluated_on_is_computed_once(experiment, computed):
    features = with_features(experiment('--no_augmentation', '--eval_split=train'))
    assert computed() == 24
    assert features.run.train_features == features.run.eval_features


@pytest.mark.parametrize('flag', ['--center_crop=0.5', '--fit=squeeze', '--fit=pad'])
def test_other_pixels_are_other_features(experiment, computed, flag):
    with_features(experiment())
    computed()
    with_features(experiment('--no_augmentation', flag))
    assert computed() == 39


def test_another_module_has_other_features(experiment, computed, module_dir, tmp_path):
    with_features(experiment())
    computed()
    module = tf.saved_model.load(str(module_dir))
    module.variables[0].assign_add(tf.ones_like(module.variables[0]))
    tf.saved_model.save(module, str(tmp_path / 'module'))
    with_features(experiment('--no_augmentation', f'--module={tmp_path}/module'))
    assert computed() == 39


def test_a_changed_split_is_computed_and_the_other_one_is_not(experiment, computed, data, tmp_path):
    with_features(experiment())
    computed()
    shutil.rmtree(data / 'test')
    convert_folder(draw_images(tmp_path / 'images', 2, seed=9), data / 'test', 'test')
    with_features(experiment())
    assert computed() == 6


def test_an_edit_of_the_code_that_makes_pixels_is_noticed(experiment, monkeypatch):
    images = experiment()

    def folders():
        data, make = images.train_data, images.functions.input_fn
        return [
            plan_features(images.hparams, images.run, data, True, copies, make).folder
            for copies in (0, 2)
        ]

    before = folders()
    assert folders() == before
    monkeypatch.setattr(plan, 'code_digest', lambda defined: 'edited')
    assert not set(folders()) & set(before)


def test_a_change_of_what_is_random_alone_leaves_the_features_of_images_encoding_of(
    experiment, computed
):
    with_features(experiment())
    computed()
    with_features(experiment('--no_augmentation', '--random_brightness=0.3'))
    assert computed() == 0


def test_an_edit_of_the_model_is_noticed(experiment, monkeypatch):
    before = experiment().run.features_digest
    monkeypatch.setattr(code_digest, 'code_digest', lambda defined: 'edited')
    assert experiment().run.features_digest != before


def test_an_option_of_augmented_copies_counts_by_its_declaration(experiment):
    def made_from(*words):
        images = experiment('--feature_copies=2', *words)
        make = images.functions.input_fn
        return [
            plan_features(
                images.hparams, images.run, images.train_data, True, copies, make
            ).made_from
            for copies in (0, 2)
        ]

    plain, copied = made_from()
    for words in ('--no_random_crop', '--random_crop_min_area=0.9', '--random_flip_vertical'):
        found = made_from(words)
        assert found[0] == plain
        assert found[1] != copied
    for words in ('--center_crop=0.5', '--fit=pad'):
        (plain_cropped, copied_cropped) = made_from(words)
        assert plain_cropped != plain
        assert copied_cropped != copied
    assert json.loads(json.dumps(copied)) == copied


def test_the_manifest_tells_in_words_what_the_features_follow_from(experiment):
    features = with_features(experiment())
    content = json.loads(Path(features.run.eval_features, MANIFEST).read_text())
    assert (content['format'], content['depth'], content['copies']) == (
        'image-features-tfrecords',
        8,
        1,
    )
    made_from = content['made_from']
    assert made_from['features_digest'] == features.run.features_digest
    assert made_from['tensorflow'] == tf.__version__
    pixels = [made_from[name] for name in ('image_size', 'fit', 'center_crop')]
    assert pixels == [32, 'crop', 1.0]
    assert made_from['augmentation'] is None


def test_a_module_that_is_random_also_where_it_is_frozen_is_named_once(
    experiment, tmp_path, caplog
):
    module = tf.Module()
    spec = tf.TensorSpec([None, 32, 32, 3])
    module.__call__ = tf.function(
        lambda images: tf.reduce_mean(images, [1, 2]) + tf.random.normal([3]),
        input_signature=[spec],
    )
    tf.saved_model.save(module, str(tmp_path / 'random'))
    with_features(experiment('--no_augmentation', f'--module={tmp_path}/random'))
    (line,) = [each for each in caplog.messages if 'random numbers of its own' in each]
    assert line.startswith('warning: --model hub: the module draws')
    assert '(RandomStandardNormal)' in line


@pytest.mark.parametrize('harm', ['cut', 'flip', 'remove'])
def test_a_damaged_shard_alone_is_computed_again(experiment, computed, small_shards, harm):
    folder = with_features(experiment()).run.train_features
    before = stored(folder)
    computed()
    path = Path(folder, 'train-00001-of-00004.tfrecord')
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    if harm == 'remove':
        path.unlink()
    else:
        path.write_bytes(content[:-5] if harm == 'cut' else content)
    with_features(experiment())
    assert computed() == 6
    np.testing.assert_array_equal(stored(folder)[0], before[0])


def test_no_shard_is_compared_with_its_digest_twice(experiment, small_shards, monkeypatch):
    folder = with_features(experiment()).run.train_features
    Path(folder, 'train-00001-of-00004.tfrecord').unlink()
    digest, compared = feature_manifest.files.digest, []

    def count(path):
        if '.features' in path and path.endswith('.tfrecord'):
            compared.append(os.path.basename(path))
        return digest(path)

    monkeypatch.setattr(feature_manifest.files, 'digest', count)
    with_features(experiment())
    # The others of 4 and 3.
    assert len(compared) == len(set(compared)) == 6


def test_a_damaged_manifest_costs_the_features_and_not_the_run(experiment, computed):
    folder = with_features(experiment()).run.eval_features
    computed()
    Path(folder, MANIFEST).write_text('{')
    with_features(experiment())
    assert computed() == 15


def test_a_conversion_into_the_folder_of_the_images_takes_features_for_its_own(tmp_path):
    for root in (tmp_path / 'splits', tmp_path / 'classes'):
        draw_images(root / 'train' if root.name == 'splits' else root, 1)
        (root / '.features' / 'train-0123').mkdir(parents=True)
        (root / '.features' / 'train-0123' / MANIFEST).write_text('{}')
        output = Output(str(root), None)
        listing = Folder(SourceOptions(dataset_dir=str(root)), output).listing()
        assert listing.class_names == ('blue', 'green', 'red')
        assert listing.ignored == ()


# Where another process computes.


def test_who_does_not_compute_takes_the_features_that_are_there(experiment, capsys):
    built = with_features(experiment())
    capsys.readouterr()
    found = with_cached_features(experiment(), None, builds=False)
    assert found.run.train_features == built.run.train_features
    assert found.run.eval_features == built.run.eval_features
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('split', ['train', 'eval'])
def test_who_does_not_compute_ends_where_features_are_missing(experiment, computed, data, split):
    folder = getattr(with_features(experiment()).run, f'{split}_features')
    computed()
    shutil.rmtree(folder)
    with pytest.raises(DataError) as error:
        with_cached_features(experiment(), None, builds=False)
    assert str(error.value) == (
        f'{folder}: the features that the chief computed are not there: all tasks must see the '
        'same --data_dir (or --no_cache_features)'
    )
    assert error.value.exit_code == 3
    assert not os.path.exists(folder)


def test_who_does_not_compute_does_not_take_half_of_the_features(experiment, small_shards):
    folder = with_features(experiment()).run.train_features
    Path(folder, 'train-00001-of-00004.tfrecord').unlink()
    with pytest.raises(DataError, match='are not there'):
        with_cached_features(experiment(), None, builds=False)


def test_who_does_not_compute_goes_on_with_images_where_features_are_not_wanted(experiment):
    images = experiment('--no_cache_features', '--no_augmentation')
    assert with_cached_features(images, None, builds=False) is images


class Together(Distribution):
    """One of several processes that train."""

    @property
    def is_alone(self):
        return False


def test_who_does_not_train_alone_does_not_go_on_with_images_alone(experiment, data):
    """The others would go on with features."""
    (data / '.features').write_text('')
    images = experiment()
    together = Together(None, 2, ('/cpu:0',))
    with pytest.raises(OSError, match=r'\.features'):
        with_cached_features(dataclasses.replace(images, distribution=together), None)


# What ends in the middle.


def stop_at(monkeypatch, number, act):
    """Calls `act` instead of writing shard `number`, counted from 1."""
    write, written = building.write_feature_shard, []

    def count(*args):
        written.append(args[1])
        if len(written) == number:
            act()
        return write(*args)

    monkeypatch.setattr(building, 'write_feature_shard', count)


def test_a_signal_ends_the_work_with_its_code_and_loses_no_finished_shard(
    words, computed, small_shards, monkeypatch, experiment
):
    stop_at(monkeypatch, 5, lambda: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert run_program(run.main, ['train', *words('--no_augmentation')]) == 143
    finally:
        signal.signal(signal.SIGTERM, before)
    assert computed() == 39
    monkeypatch.undo()
    monkeypatch.setattr(plan, 'IMAGES_PER_SHARD', 7)
    with_features(experiment())
    # 3 shards of 5 test images come first, then one of 6 training images.
    assert computed() == 39 - 21


@pytest.mark.process
def test_a_kill_loses_no_finished_shard(words, computed, small_shards, experiment, module_dir):
    code = (
        'import os, sys, run\n'
        'from library.modes.feature_cache import building, plan\n'
        'plan.IMAGES_PER_SHARD = 7\n'
        'write, written = building.write_feature_shard, []\n'
        'def kill(*args):\n'
        '    written.append(args)\n'
        '    if len(written) == 3: os.kill(os.getpid(), 9)\n'
        '    return write(*args)\n'
        'building.write_feature_shard = kill\n'
        'run.main(sys.argv[1:])\n'
    )
    assert forked('-c', code, 'train', *words('--no_augmentation')).returncode == -9
    images = experiment()
    features = with_features(images)
    assert computed() == 39 - 10
    expected, _ = seen_by_the_module(module_dir, images, training=False)
    np.testing.assert_allclose(stored(features.run.eval_features)[0], expected, atol=1e-5)
    assert not os.path.exists(f'{features.run.eval_features}/{UNFINISHED}')


def test_of_two_runs_at_once_one_computes_and_the_other_waits(experiment, monkeypatch, capsys):
    go_on, started, found = threading.Event(), threading.Event(), []
    write, written = building.write_feature_shard, []

    def slowly(*args):
        written.append(args[1])
        started.set()
        assert go_on.wait(60)
        return write(*args)

    monkeypatch.setattr(building, 'write_feature_shard', slowly)
    both = [experiment(), experiment()]
    threads = [
        threading.Thread(target=lambda images=images: found.append(with_features(images)))
        for images in both
    ]
    texts = []

    def says_that_it_waits():
        texts.append(capsys.readouterr().out)
        return 'waiting' in ''.join(texts)

    for thread in threads:
        thread.start()
        assert started.wait(60)
    wait_until(says_that_it_waits, 'a run that waits')
    go_on.set()
    for thread in threads:
        thread.join(60)
    said = ''.join([*texts, capsys.readouterr().out])
    folder = found[0].run.eval_features
    line = f'waiting for process {os.getpid()}, which computes the features in {folder}\n'
    assert said.count(line) == 1
    assert len(written) == 2
    assert 'features instead of images: all 39 are there' in said
    assert found[1].run.eval_features == folder


# Augmented copies.


def test_copies_are_augmented_as_the_epochs_of_the_stored_order(
    experiment, module_dir, small_shards
):
    images = experiment('--feature_copies=2')
    features = with_features(images)
    manifest = read_manifest(features.run.train_features, MANIFEST)
    assert (manifest.copies, manifest.examples, len(manifest.shards)) == (2, 24, 8)
    found, labels = stored(features.run.train_features)
    for copy in range(2):
        part = slice(24 * copy, 24 * (copy + 1))
        expected, expected_labels = seen_by_the_module(
            module_dir, images, training=True, augmented=True, first=24 * copy
        )
        np.testing.assert_allclose(found[part], expected, atol=1e-5)
        assert labels[part].tolist() == expected_labels.tolist()
    assert np.abs(found[:24] - found[24:]).max() > 1e-3
    assert read_manifest(features.run.eval_features, MANIFEST).copies == 1


def test_evaluation_shares_its_features_with_a_run_without_copies(experiment, computed):
    with_features(experiment())
    computed()
    with_features(experiment('--feature_copies=2'))
    assert computed() == 2 * 24


def test_another_seed_augments_otherwise(experiment, computed):
    with_features(experiment('--feature_copies=1'))
    computed()
    with_features(experiment('--feature_copies=1', '--random_seed=5'))
    assert computed() == 24
    with_features(experiment('--feature_copies=1', '--random_brightness=0.3'))
    assert computed() == 24


def test_features_of_images_encoding_of_warn_where_augmentation_is_on(experiment, capsys):
    with_features(experiment('--cache_features'))
    assert NOT_AUGMENTED in capsys.readouterr().out.splitlines()
    for flags in (('--no_augmentation',), ('--feature_copies=1',)):
        with_features(experiment(*flags))
        assert 'warning' not in capsys.readouterr().out


# Where nothing can be written. Root may write into any folder, so a file stands in the way.


def test_unasked_the_run_goes_on_with_images_where_nothing_can_be_written(experiment, data, capsys):
    (data / '.features').write_text('')
    images = experiment()
    assert with_features(images) is images
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(
        f'warning: features cannot be kept, going on with images ({data}/.features'
    )


@pytest.mark.parametrize('flag', ['--cache_features', '--feature_copies=1'])
def test_asked_for_the_run_ends_with_5_where_nothing_can_be_written(words, data, capsys, flag):
    (data / '.features').write_text('')
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert run_program(run.main, ['train', *words(flag)]) == 5
    finally:
        signal.signal(signal.SIGTERM, before)
    assert f'error: {data}/.features' in capsys.readouterr().err


def test_a_disk_without_room_is_reported_before_anything_is_computed(experiment, monkeypatch, data):
    usage = shutil.disk_usage(data)
    # 39 images of 8 features of 4 bytes are 1248 bytes.
    monkeypatch.setattr(building.shutil, 'disk_usage', lambda path: usage._replace(free=1247))
    with pytest.raises(OSError, match='no room for 0 MB of features') as error:
        with_features(experiment('--cache_features'))
    assert error.value.errno == errno.ENOSPC
    monkeypatch.setattr(building.shutil, 'disk_usage', lambda path: usage._replace(free=1248))
    assert with_features(experiment('--cache_features')).run.train_features


@pytest.mark.parametrize('asked', [False, True])
def test_a_disk_that_fills_while_a_shard_is_written_is_no_room(
    experiment, monkeypatch, capsys, asked
):
    images = experiment('--no_augmentation', *['--cache_features'] * asked)
    writer = tf.io.TFRecordWriter
    monkeypatch.setattr(tf.io, 'TFRecordWriter', lambda path: writer('/dev/full'))
    if asked:
        with pytest.raises(OSError, match='No space left on device') as error:
            with_features(images)
        assert error.value.errno == errno.ENOSPC
    else:
        assert with_features(images) is images
        last = capsys.readouterr().out.splitlines()[-1]
        assert last.startswith('warning: features cannot be kept, going on with images (/')
        assert last.endswith('.tfrecord: no space left on device)')


def test_features_that_are_there_need_no_writing(experiment, monkeypatch, computed):
    with_features(experiment())
    computed()

    def refuse(*args):
        raise PermissionError(errno.EACCES, 'permission denied')

    monkeypatch.setattr('library.runs.lock.files.make_folder', refuse)
    assert with_features(experiment('--cache_features', '--no_augmentation'))
    assert computed() == 0
