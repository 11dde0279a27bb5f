"""The link of the chain that lets a tf.data service prepare batches, and its options."""

from __future__ import annotations

import pytest
import tensorflow as tf

import run
from extras.data_service.job import JOB, before_training_together, job_name
from extras.data_service.options import check
from extras.data_service.service import distribute, shards_of
from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ConfigError, ResourceError
from tests.library.inputs.test_epoch_stream import batches_of, pairs

pytestmark = pytest.mark.train

METADATA = ['--train_metadata', 'photos', '--eval_metadata', 'photos']


@pytest.fixture
def address():
    """The address of a service with two workers, in this process."""
    service = tf.data.experimental.service
    dispatcher = service.DispatchServer(service.DispatcherConfig(port=0))
    address = dispatcher.target.removeprefix('grpc://')
    workers = [service.WorkerServer(service.WorkerConfig(address)) for _ in range(2)]
    yield address
    for server in (*workers, dispatcher):
        server._stop()


def hparams_of(*words, mode='train'):
    return resolve(run.CATALOG, parse([mode, *map(str, words)], run.CATALOG, list(run.MODES)))


@pytest.fixture
def hparams(address, tmp_path):
    return hparams_of('--data_service', address, '--model_dir', tmp_path)


def test_an_epoch_is_cut_into_one_part_for_each_worker(hparams):
    assert shards_of(hparams) == 2


def test_processes_that_train_together_share_one_stream(hparams):
    before_training_together(hparams, others_are_running=False)
    # Two programs, so two data sets; one of them is faster.
    readers = [iter(distribute(batches_of(shards=2), hparams, several=True)) for _ in '12']
    fed = [pair for turn in range(16) for pair in pairs([next(readers[turn % 4 == 0])], 1)]
    assert len(set(fed)) == len(fed)


def test_a_process_that_trains_alone_has_a_stream_of_its_own_and_needs_no_name(hparams):
    # Which of the two workers is faster is not known, but each reader gets the first example.
    fed = [pairs(distribute(batches_of(), hparams, several=False), 40) for _ in '12']
    assert [0 in {number for number, _ in each} for each in fed] == [True, True]


def test_a_stream_is_not_shared_by_a_name_that_is_not_there(hparams):
    with pytest.raises(ResourceError, match=r'data_service_job.json: cannot be read'):
        distribute(batches_of(), hparams, several=True)


def test_each_start_names_a_stream_unless_others_read_that_of_before(hparams, tmp_path):
    before_training_together(hparams, others_are_running=False)
    first = job_name(str(tmp_path))
    before_training_together(hparams, others_are_running=True)
    assert job_name(str(tmp_path)) == first
    before_training_together(hparams, others_are_running=False)
    assert job_name(str(tmp_path)) != first


def test_without_a_service_no_stream_is_named(tmp_path):
    before_training_together(hparams_of('--model_dir', tmp_path), others_are_running=False)
    assert not (tmp_path / JOB).exists()


def test_a_run_trains_on_batches_of_the_service(launch, address, tmp_path):
    assert launch(tmp_path, model='simple', image_size=16, data_service=address) == 0
    assert (tmp_path / 'checkpoints' / 'model.ckpt-8.index').exists()


def test_a_service_where_nobody_answers_ends_a_run_in_one_line(launch, tmp_path):
    with pytest.raises(ResourceError, match=r'no dispatcher of a tf\.data service answers at'):
        launch(tmp_path, model='simple', image_size=16, data_service='localhost:1')


# Options that do not go together.


@pytest.mark.parametrize('flag', ['--cache_features', '--feature_copies=2'])
def test_features_leave_the_service_no_work(flag):
    name = flag.partition('=')[0]
    expected = f'^{name}: with features there is no work for --data_service; leave one of them out$'
    with pytest.raises(ConfigError, match=expected) as error:
        check(hparams_of(flag, '--data_service', 'localhost:1'), 'train')
    assert error.value.exit_code == 2
    check(hparams_of(flag), 'train')


@pytest.mark.parametrize('mode', ['train', 'evaluate', 'export', 'preview'])
def test_only_converted_images_can_travel(mode):
    with pytest.raises(ConfigError) as error:
        check(hparams_of(*METADATA, '--data_service', 'localhost:1'), mode)
    assert str(error.value) == (
        '--data_service takes converted images (--data_dir): others are prepared in Python, '
        'which cannot travel'
    )
    check(hparams_of(*METADATA), mode)


def test_noise_and_modes_that_read_no_images_of_the_run_are_not_refused():
    words = [*METADATA, '--data_service', 'localhost:1']
    check(hparams_of(*words, '--use_synthetic_data'), 'train')
    check(hparams_of(*words), 'predict')


def test_unasked_a_run_on_a_service_does_not_work_on_features():
    from library.modes.feature_cache.decision import uses_features
    from library.records.manifest import Manifest, Shard
    from library.runs.metadata import Run

    images = Manifest(('a', 'b'), {'a': 12, 'b': 12}, (Shard('s', 24, 1, ''),))
    for words, on in (([], True), (['--data_service', 'localhost:1'], False)):
        hparams = hparams_of('--no_augmentation', *words)
        run = Run().found('the test', features_digest='abc')
        assert uses_features(hparams, run, (images, images), training=True) is on


def test_noise_is_made_here_whatever_service_is_named(launch, tmp_path):
    # Nobody answers there, and nobody is asked.
    flags = {'use_synthetic_data': None, 'synthetic_examples': 12, 'image_size': 16}
    flags |= {'model': 'simple', 'data_service': 'localhost:1', 'train_epochs': 1}
    assert launch(tmp_path, **flags) == 0
