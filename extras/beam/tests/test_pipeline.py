"""Shards written by workers of Beam: the same as those of this machine."""

from __future__ import annotations

import functools
import importlib.util
import os
import subprocess
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from extras.beam import pipeline
from extras.beam.pipeline import write_on_beam, write_planned
from library.errors import ConfigError, ResourceError
from library.preparation.converter import convert
from library.preparation.encoding_options import EncodingOptions
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.preparation.pool import write_on_this_machine
from library.preparation.shard_writer import read_note
from library.preparation.sources.folder import Folder
from library.records.example import parse_example
from tests.conftest import ROOT

pytestmark = pytest.mark.process

ENCODING = EncodingOptions(max_edge=16)


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    """Large images, which are shrunk, small ones, which are kept, a PNG and a bad one."""
    folder = tmp_path_factory.mktemp('beam') / 'images'
    random = np.random.default_rng(0)
    for number, (name, size) in enumerate(
        [('red', 40), ('red', 12), ('blue', 40), ('blue', 12), ('blue', 30), ('red', 9)] * 2
    ):
        pixels = random.integers(0, 256, (size, size, 3), np.uint8)
        path = folder / name / f'{number}.{"png" if size == 30 else "jpg"}'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    (folder / 'red' / 'bad.jpg').write_bytes(b'no image')
    return folder


@pytest.fixture
def convert_here(images, tmp_path):
    """Converts into a folder of this test with these writers; gives the Conversion."""

    def call(write_shards, name='records'):
        output = Output(str(tmp_path / name), 'train')
        listing = Folder(SourceOptions(dataset_dir=str(images)), output).listing()
        return convert(listing, output, ENCODING, write_shards, num_shards=3)

    return call


def one_by_one(shards, encoding):
    """Writes as workers do, and reads the notes that they leave."""
    for shard in shards:
        assert write_planned(shard, encoding) == shard.name
        yield read_note(shard.target, shard.name)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_worker_writes_the_bytes_that_the_pool_writes(convert_here, tmp_path):
    convert_here(one_by_one, 'beam')
    convert_here(lambda shards, encoding: write_on_this_machine(shards, encoding, 1), 'pool')
    assert files_of(tmp_path / 'beam') == files_of(tmp_path / 'pool')


# With a Beam of a few lines, which calls each step in this process.


class Step:
    def __init__(self, apply):
        self.apply = apply

    def __rrshift__(self, label):
        return self


class Pipeline:
    def __init__(self, options):
        if options.runner == 'Nonsense':
            raise ValueError('Unexpected pipeline runner: Nonsense.')
        self.elements, self.steps = None, []

    def __or__(self, step):
        self.steps.append(step)
        return self

    def run(self):
        for step in self.steps:
            self.elements = step.apply(self.elements)
        return self

    def wait_until_finish(self):
        pass


@pytest.fixture
def beam(monkeypatch):
    """Puts it where Beam would be imported from; gives what PipelineOptions were told."""
    modules = [types.ModuleType(name) for name in ('apache_beam', 'options', 'pipeline_options')]
    package, _, options = modules
    told, direct = [], types.SimpleNamespace()

    def pipeline_options(words, runner):
        told.append((words, runner))
        direct.direct_num_workers = 0 if '--direct_num_workers=0' in words else 1
        return types.SimpleNamespace(runner=runner, view_as={'direct': direct}.get)

    package.Pipeline = Pipeline
    package.Create = lambda elements: Step(lambda _: elements)
    package.Reshuffle = lambda: Step(lambda elements: elements[::-1])
    package.Map = lambda function: Step(lambda elements: [function(each) for each in elements])
    options.PipelineOptions, options.DirectOptions = pipeline_options, 'direct'
    names = ('apache_beam', 'apache_beam.options', 'apache_beam.options.pipeline_options')
    for name, module in zip(names, modules, strict=True):
        monkeypatch.setitem(sys.modules, name, module)
    return types.SimpleNamespace(told=told, package=package, direct=direct)


def on_beam(runner='DirectRunner', options=''):
    return functools.partial(write_on_beam, runner=runner, pipeline_options=options)


@pytest.mark.parametrize(('asked', 'workers'), [('--direct_num_workers=0', 3), ('', 1)])
def test_all_cores_are_those_that_this_process_may_use(
    convert_here, beam, monkeypatch, asked, workers
):
    monkeypatch.setattr(pipeline, 'count_cores', lambda: 3)
    convert_here(on_beam(options=asked), 'here')
    assert beam.direct.direct_num_workers == workers


def test_the_order_in_which_workers_finish_does_not_matter(convert_here, tmp_path, beam):
    convert_here(one_by_one, 'here')
    convert_here(on_beam(), 'beam')
    assert files_of(tmp_path / 'here') == files_of(tmp_path / 'beam')


def test_the_options_of_beam_reach_it_word_by_word(convert_here, beam):
    convert_here(on_beam('FlinkRunner', "--a=b --c 'd e'"))
    convert_here(on_beam('DirectRunner'), 'other')
    # Beam's own DirectRunner would fetch a program.
    assert beam.told == [(['--a=b', '--c', 'd e'], 'FlinkRunner'), ([], 'FnApiRunner')]


def test_a_shard_that_no_worker_wrote_is_named(convert_here, tmp_path, beam):
    beam.package.Reshuffle = lambda: Step(lambda elements: elements[:2])
    with pytest.raises(ResourceError) as caught:
        convert_here(on_beam())
    path = tmp_path / 'records' / 'train-00002-of-00003.tfrecord'
    assert str(caught.value) == f'{path}: no worker wrote this shard'


def test_a_runner_that_beam_does_not_know_is_refused(convert_here, beam):
    with pytest.raises(ConfigError, match=r'^--runner Nonsense: Unexpected pipeline runner'):
        convert_here(on_beam('Nonsense'))


def test_options_that_are_no_words_are_refused(convert_here):
    with pytest.raises(ConfigError, match=r"^--pipeline_options '--a: No closing quotation$"):
        convert_here(on_beam(options="'--a"))


@pytest.mark.skipif(importlib.util.find_spec('apache_beam') is not None, reason='Beam is here')
def test_without_beam_there_is_one_line_that_says_how_to_get_it(program, images, tmp_path):
    words = ['--dataset_dir', images, '--tfrecord_dir', tmp_path, '--max_edge', 16]
    done = program('convert_dataset.py', *words, '--tfrecord_filename=a', '--runner=DirectRunner')
    assert (done.returncode, done.stdout) == (5, '')
    assert done.stderr == (
        'error: --runner needs Apache Beam, which lives in an environment of its own: make beam\n'
    )


# With the real one.

BEAM = ROOT / '.venv-beam' / 'bin' / 'python'
needs_beam = pytest.mark.skipif(not BEAM.exists(), reason='no .venv-beam: make beam builds it')


@pytest.fixture(scope='module')
def with_beam(images):
    """Runs convert_dataset.py in Beam's environment; gives the finished process."""

    def call(folder, *words):
        flags = ['--dataset_dir', images, '--tfrecord_dir', folder, '--tfrecord_filename=train']
        command = [BEAM, 'convert_dataset.py', *flags, '--max_edge=16', '--num_shards=3', *words]
        return subprocess.run(
            [str(word) for word in command],
            cwd=ROOT,
            env={**os.environ, 'PYTHONWARNINGS': 'ignore'},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return call


@pytest.fixture(scope='module')
def written(with_beam, tmp_path_factory):
    """A folder of shards that the DirectRunner wrote."""
    folder = tmp_path_factory.mktemp('written')
    done = with_beam(folder, '--runner=DirectRunner')
    assert done.returncode == 0, done.stderr
    return folder


@needs_beam
def test_beam_writes_the_same_files_as_one_machine(written, with_beam, tmp_path):
    assert with_beam(tmp_path, '--workers=1').returncode == 0
    assert files_of(written) == files_of(tmp_path)


@needs_beam
def test_a_second_run_on_beam_keeps_all(written, with_beam):
    before = files_of(written)
    done = with_beam(written, '--runner=DirectRunner')
    assert done.returncode == 0, done.stderr
    assert 'kept: 3 of 3 shards, made from the same images\n' in done.stdout
    assert files_of(written) == before


def records(folder):
    """(label, pixels) of all records, in reading order."""
    paths = sorted(str(path) for path in folder.glob('*.tfrecord'))
    examples = [parse_example(record) for record in tf.data.TFRecordDataset(paths)]
    return [
        (int(each['label']), tf.io.decode_jpeg(each['jpeg']).numpy().astype(int))
        for each in examples
    ]


@needs_beam
def test_beams_environment_stores_what_this_one_stores(written, convert_here, tmp_path):
    convert_here(one_by_one)
    here = tmp_path / 'records'
    assert set(files_of(written)) == set(files_of(here))
    assert (written / 'train.images.csv').read_text() == (here / 'train.images.csv').read_text()
    pairs = list(zip(records(written), records(here), strict=True))
    assert len(pairs) == 12
    for (label, pixels), (other_label, other_pixels) in pairs:
        assert label == other_label
        # Another Pillow may shrink a value to its neighbour, which the JPEG then spreads.
        assert np.abs(pixels - other_pixels).max() <= 16
        if max(pixels.shape) < ENCODING.max_edge:
            np.testing.assert_array_equal(pixels, other_pixels)
    script = (
        'from library.preparation.encoding_options import EncodingOptions; '
        'print(EncodingOptions(16).fingerprint())'
    )
    done = subprocess.run(
        [BEAM, '-c', script], cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    if done.stdout.decode().strip() == str(ENCODING.fingerprint()):
        assert files_of(written) == files_of(here)


@needs_beam
def test_an_unknown_runner_is_refused_with_those_that_there_are(with_beam, tmp_path):
    done = with_beam(tmp_path, '--runner=Nonsense')
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith('error: --runner Nonsense: Unexpected pipeline runner: Nonsense')
    assert 'DataflowRunner' in last
    assert list(tmp_path.glob('*.tfrecord*')) == []
