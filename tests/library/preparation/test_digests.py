"""The digest that tells an image whatever its name."""

from __future__ import annotations

import errno
import hashlib
import os

import numpy as np
import pytest

from library import files
from library.preparation.digests import CHUNK, content_digests
from library.records.listing import LabelledImage, Unusable


def images_of(*contents):
    return [LabelledImage(f'{n}.jpg', 0, content, 1) for n, content in enumerate(contents)]


def digest_of(content):
    (digest,) = content_digests(images_of(content))
    return digest


def test_a_files_digest_is_the_sha256_of_its_bytes(write):
    assert digest_of(str(write(b'image', 'a.jpg'))) == hashlib.sha256(b'image').digest()


def test_a_file_and_the_same_bytes_in_memory_are_the_same_image(write):
    assert digest_of(str(write(b'image', 'a.jpg'))) == digest_of(b'image')


def test_digests_come_in_the_order_of_the_images():
    contents = [str(number).encode() for number in range(3 * CHUNK + 1)]
    expected = [hashlib.sha256(content).digest() for content in contents]
    assert content_digests(images_of(*contents)) == expected


def test_no_images_have_no_digests():
    assert content_digests([]) == []


def test_pixels_are_told_by_their_values_and_their_shape():
    grey = np.arange(12, dtype=np.uint8)
    one = digest_of(grey.reshape(3, 4))
    assert digest_of(grey.reshape(3, 4).copy()) == one
    assert digest_of(np.asfortranarray(grey.reshape(3, 4))) == one
    assert digest_of(grey.reshape(4, 3)) != one
    assert digest_of(grey.reshape(2, 2, 3)) != one
    assert digest_of((grey + 1).reshape(3, 4)) != one


def test_images_that_cannot_be_read_are_no_duplicates_of_each_other(tmp_path):
    (tmp_path / 'folder').mkdir()
    gone, folder = str(tmp_path / 'gone'), str(tmp_path / 'folder')
    images = images_of(Unusable('a link'), Unusable('a link'), gone, gone, folder, b'', b'')
    digests = content_digests(images)
    assert len(set(digests[:5])) == 5
    assert digests[5] == digests[6]


def test_an_image_that_cannot_be_read_is_told_by_its_name_alone(tmp_path):
    (one,) = images_of(Unusable('a link'))
    (two,) = images_of(str(tmp_path / 'gone'))
    assert content_digests([one]) == content_digests([two])


def test_names_that_are_no_utf8_have_digests_too():
    image = LabelledImage(os.fsdecode(b'caf\xe9.jpg'), 0, Unusable('a link'), 0)
    assert len(content_digests([image])[0]) == 32


@pytest.mark.parametrize('number', [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_machine_that_is_out_of_something_ends_it_rather_than_call_an_image_unreadable(
    write, monkeypatch, number
):
    def fail(path):
        raise OSError(number, os.strerror(number), path)

    path = str(write(b'image', 'a.jpg'))
    monkeypatch.setattr(files, 'digest', fail)
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        digest_of(path)
    assert (caught.value.errno, caught.value.filename) == (number, path)


def test_any_other_failure_to_read_is_reported_when_the_image_is_decoded(write, monkeypatch):
    def fail(path):
        raise OSError(errno.EIO, os.strerror(errno.EIO), path)

    path = str(write(b'image', 'a.jpg'))
    monkeypatch.setattr(files, 'digest', fail)
    assert digest_of(path) == digest_of(Unusable('unreadable'))
