"""Prepared images to one shard under a temporary name, and its note."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import signal
from contextlib import contextmanager

import pytest
import tensorflow as tf

from library.preparation.images import PreparedImage, RejectedImage
from library.preparation.output import Target
from library.preparation.pictures.changes import BROKEN_PROFILE, RECOLORED
from library.preparation.plan import PlannedShard
from library.preparation.shard_writer import read_note, write_shard
from library.records.example import FILENAME, TEXT
from library.records.listing import LabelledImage
from library.records.manifest import Changed, Rejected
from tests.library.preparation.conversions import contents

pytestmark = pytest.mark.graph

NAME = 'train-00000-of-00001.tfrecord'
PARTIAL = f'{NAME}.partial'
NOTE = f'{NAME}.partial.json'
CLASS = os.fsdecode(b'caf\xe9')
GOOD = PreparedImage(b'a JPEG', 8, 9, reencoded=True)


@pytest.fixture
def shard(tmp_path):
    """Of three images of the second class."""
    names = ('0.jpg', f'{CLASS}.jpg', '2.jpg')
    images = tuple(LabelledImage(name, 1, 'path', 1) for name in names)
    digests = (b'\0' * 32,) * 3
    return PlannedShard(
        Target(str(tmp_path), 'train'), NAME, images, digests, ('cat', CLASS), 'inputs'
    )


@pytest.fixture
def small_files():
    """Lets no file grow beyond some bytes: a disk that is full as soon as one needs it."""

    @contextmanager
    def limited(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)

    return limited


def outcomes(shard, *found):
    return zip(shard.images, found, strict=True)


def test_a_shard_is_written_under_a_temporary_name_with_its_note(shard, tmp_path):
    kept = PreparedImage(b'another', 8, 8, reencoded=False)
    finished = write_shard(shard, outcomes(shard, GOOD, RejectedImage('empty file'), kept))
    assert sorted(contents(tmp_path)) == [PARTIAL, NOTE]
    data = (tmp_path / PARTIAL).read_bytes()
    assert finished.rejected == (Rejected(f'{CLASS}.jpg', 'empty file'),)
    assert finished.shard.name == NAME
    assert (finished.shard.examples, finished.shard.reencoded) == (2, 1)
    assert (finished.shard.bytes, finished.shard.inputs) == (len(data), 'inputs')
    assert finished.shard.sha256 == hashlib.sha256(data).hexdigest()
    assert read_note(shard.target, NAME) == finished


def test_what_was_altered_is_counted_in_the_note_and_not_in_the_records(shard, tmp_path):
    plain = [PreparedImage(b'a JPEG', 8, 9, reencoded=True)] * 3
    write_shard(shard, outcomes(shard, *plain))
    before = (tmp_path / PARTIAL).read_bytes()
    changes = [('turned', RECOLORED), (RECOLORED,), (BROKEN_PROFILE,)]
    altered = [PreparedImage(b'a JPEG', 8, 9, True, each) for each in changes]
    finished = write_shard(shard, outcomes(shard, *altered))
    assert (tmp_path / PARTIAL).read_bytes() == before
    assert finished.shard.changes == (
        Changed(BROKEN_PROFILE, 1, ('2.jpg',)),
        Changed(RECOLORED, 2, tuple(image.filename for image in shard.images[:2])),
        Changed('turned', 1, (shard.images[0].filename,)),
    )
    assert read_note(shard.target, NAME) == finished


def test_records_hold_names_that_are_no_utf8_encoding_of(shard, tmp_path):
    write_shard(shard, outcomes(shard, GOOD, GOOD, GOOD))
    features = {key: tf.io.FixedLenFeature([], tf.string) for key in (TEXT, FILENAME)}
    _, record, _ = tf.data.TFRecordDataset(str(tmp_path / PARTIAL)).as_numpy_iterator()
    parsed = tf.io.parse_single_example(record, features)
    assert parsed[TEXT].numpy() == b'caf\xe9'
    assert parsed[FILENAME].numpy() == b'caf\xe9.jpg'


def test_a_shard_without_a_good_image_is_an_empty_file(shard, tmp_path):
    finished = write_shard(shard, outcomes(shard, *[RejectedImage('empty file')] * 3))
    assert (finished.shard.examples, finished.shard.bytes) == (0, 0)
    assert (tmp_path / PARTIAL).read_bytes() == b''


def test_the_shard_is_on_the_disk_before_its_note(shard, monkeypatch):
    events = []
    for name in ('fsync', 'replace'):
        function = getattr(os, name)

        def note(*args, name=name, function=function):
            events.append(name)
            return function(*args)

        monkeypatch.setattr(os, name, note)
    write_shard(shard, outcomes(shard, GOOD, GOOD, GOOD))
    assert events == ['fsync', 'replace']


@pytest.mark.parametrize('limit', [10, 200])
def test_a_full_disk_leaves_nothing_and_is_told_by_the_name_of_the_file(
    shard, tmp_path, small_files, limit
):
    with small_files(limit), pytest.raises(OSError, match='File too large') as caught:
        write_shard(shard, outcomes(shard, GOOD, GOOD, GOOD))
    assert caught.value.filename == str(tmp_path / PARTIAL)
    assert contents(tmp_path) == {}


def test_a_disk_that_is_full_when_the_note_is_written_leaves_nothing(shard, tmp_path, monkeypatch):
    def full(source, target):
        assert source == str(tmp_path / f'{NOTE}.partial')
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(OSError, match='No space left'):
        write_shard(shard, outcomes(shard, GOOD, GOOD, GOOD))
    assert contents(tmp_path) == {}


@pytest.mark.parametrize('error', [KeyboardInterrupt, OSError, SystemExit])
def test_whatever_stops_it_leaves_nothing(shard, tmp_path, error):
    def interrupted():
        yield shard.images[0], GOOD
        raise error('stopped')

    with pytest.raises(error, match='stopped'):
        write_shard(shard, interrupted())
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    'text',
    [
        b'',
        b'{',
        b'[]',
        b'null',
        b'\xff\xfe',
        b'{"shard": {}, "rejected": []}',
        b'{"shard": {"name": "x", "unknown": 1}, "rejected": []}',
        b'{"shard": null, "rejected": null}',
        b'[' * 100_000,
    ],
)
def test_garbage_is_no_note(shard, tmp_path, text):
    (tmp_path / NOTE).write_bytes(text)
    assert read_note(shard.target, NAME) is None


def test_a_note_that_is_cut_anywhere_is_no_note(shard, tmp_path):
    write_shard(shard, outcomes(shard, GOOD, GOOD, RejectedImage('empty file')))
    text = (tmp_path / NOTE).read_bytes()
    for length in range(len(text) - 1):
        (tmp_path / NOTE).write_bytes(text[:length])
        assert read_note(shard.target, NAME) is None
    assert json.loads(text)


def test_a_missing_note_is_none(shard):
    assert read_note(shard.target, NAME) is None
