"""MNIST's IDX files, whole, damaged and hostile, to a list of labelled pixels."""

from __future__ import annotations

import gzip
import io
import os
import re
import struct

import numpy as np
import pytest
from PIL import Image

from extras.array_sources import idx
from extras.array_sources.idx import Idx
from library import files
from library.errors import ConfigError, DataError, ResourceError
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from library.records.example import read_file
from library.records.framing import read_records, walk
from tests.converting import convert

pytestmark = pytest.mark.unit

NAMES = (
    'train-images-idx3-ubyte',
    'train-labels-idx1-ubyte',
    't10k-images-idx3-ubyte',
    't10k-labels-idx1-ubyte',
)


def encoded(array, kind=8):
    array = np.asarray(array, np.uint8)
    header = bytes([0, 0, kind, array.ndim]) + struct.pack(f'>{array.ndim}I', *array.shape)
    return header + array.tobytes()


def drawn(train=7, test=4, shape=(9, 11)):
    """The four arrays in the order of NAMES."""
    random = np.random.default_rng(0)
    pixels = [random.integers(0, 256, (count, *shape), np.uint8) for count in (train, test)]
    return pixels[0], np.arange(train) % 5, pixels[1], np.arange(test) % 3


def write(folder, contents, names=NAMES, pack=False):
    """Writes contents, arrays or bytes, in this order of names."""
    folder.mkdir(exist_ok=True)
    for name, content in zip(names, contents, strict=True):
        data = content if isinstance(content, bytes) else encoded(content)
        path = folder / (f'{name}.gz' if pack else name)
        path.write_bytes(gzip.compress(data) if pack else data)
    return folder


def listed(path):
    return Idx(SourceOptions(dataset_dir=str(path)), Output('out', None)).listing()


def fails(error, path, text):
    with pytest.raises(error) as raised:
        listed(path)
    assert str(raised.value) == text


def facts(listing):
    return [(image.label, image.split, image.size) for image in listing.images]


def pixels_of(listing):
    return np.stack([image.content for image in listing.images])


@pytest.mark.process
def test_two_words_convert_it_and_small_images_keep_their_size(tmp_path, capsys):
    folder = write(tmp_path / 'mnist', drawn(shape=(28, 20)))
    assert convert(capsys, str(folder), str(tmp_path / 'records'), '--workers', '1')[0] == 0
    shards = sorted((tmp_path / 'records').glob('*/*.tfrecord'))
    images = [
        Image.open(io.BytesIO(read_file(record)[1]))
        for shard in map(str, shards)
        for record in read_records(shard, walk(shard)[0])
    ]
    assert [image.size for image in images] == [(20, 28)] * 11


# What is listed.


@pytest.mark.parametrize('pack', [False, True])
def test_train_is_train_and_t10k_is_test(tmp_path, pack):
    arrays = drawn()
    listing = listed(write(tmp_path / 'mnist', arrays, pack=pack))
    assert listing.class_names == ('0', '1', '2', '3', '4')
    assert listing.folder == str(tmp_path / 'mnist')
    assert [image.label for image in listing.images] == [0, 1, 2, 3, 4, 0, 1, 0, 1, 2, 0]
    assert [image.split for image in listing.images] == ['train'] * 7 + ['test'] * 4
    np.testing.assert_array_equal(pixels_of(listing), np.concatenate(arrays[::2]))
    image = listing.images[8]
    assert (image.filename, image.size) == ('t10k-images/00000001', 99)
    assert (image.content.shape, image.content.dtype) == ((9, 11), np.uint8)


def test_colours_are_a_fourth_dimension(tmp_path):
    arrays = drawn(shape=(8, 9, 3))
    listing = listed(write(tmp_path / 'idx', arrays))
    assert listing.images[0].content.shape == (8, 9, 3)
    assert listing.images[0].size == 8 * 9 * 3
    np.testing.assert_array_equal(pixels_of(listing), np.concatenate(arrays[::2]))


def test_a_plain_local_file_is_mapped_and_not_read(tmp_path):
    images = listed(write(tmp_path / 'mnist', drawn())).images
    assert type(images[0].content) is np.ndarray
    owner = images[0].content
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    assert isinstance(owner, np.memmap)


def test_the_numbers_that_occur_are_the_classes(tmp_path):
    train, _, test, _ = drawn()
    labels = [1, 2, 2, 1, 1, 2, 1], [5, 1, 2, 2]
    listing = listed(write(tmp_path / 'idx', (train, labels[0], test, labels[1])))
    assert listing.class_names == ('1', '2', '5')
    assert [image.label for image in listing.images if image.split == 'test'] == [2, 0, 1, 1]


def emnist(folder, mapping):
    """Seven images of the labels 1 and 2, as EMNIST names its files."""
    train, _, _, _ = drawn()
    names = [f'emnist-letters-train-{each}' for each in ('images-idx3-ubyte', 'labels-idx1-ubyte')]
    write(folder, (train, [1, 2, 2, 1, 1, 2, 1]), names)
    (folder / 'emnist-letters-mapping.txt').write_text(mapping)
    return folder


@pytest.mark.parametrize('mapping', ['1 65 97\n2 66 98\n', '0 48\r\n1 65\r\n2 66'])
def test_emnists_mapping_names_the_classes(tmp_path, mapping):
    listing = listed(emnist(tmp_path / 'idx', mapping))
    assert listing.class_names == ('A', 'B')


@pytest.mark.parametrize(
    ('mapping', 'message'),
    [
        ('1 65\nletters\n', 'line 2: not a label and the code of a character'),
        ('1 65\n2 65\n', 'line 2: the code 65 is none, or is there twice'),
        ('1 10\n', 'line 1: the code 10 is none, or is there twice'),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(tmp_path, mapping, message):
    folder = emnist(tmp_path / 'idx', mapping)
    fails(DataError, folder, f'{folder}/emnist-letters-mapping.txt: {message}')


def test_qmnist_is_told_what_its_labels_lack(tmp_path):
    train, _, _, _ = drawn()
    folder = write(tmp_path / 'idx', (train,), ['qmnist-train-images-idx3-ubyte'])
    (folder / 'qmnist-train-labels-idx2-int').write_bytes(b'')
    with pytest.raises(DataError, match='are QMNIST, whose labels'):
        listed(folder)


def test_one_split_is_enough(tmp_path):
    listing = listed(write(tmp_path / 'idx', drawn()[:2], NAMES[:2]))
    assert listing.splits == ('train',)


# How the files are named.


@pytest.mark.parametrize(
    ('change', 'first'),
    [
        (lambda name: name.replace('-idx', '.idx'), 'train-images/00000000'),
        (lambda name: name.replace('t10k', 'test'), 'train-images/00000000'),
        (lambda name: f'emnist-letters-{name}', 'emnist-letters-train-images/00000000'),
        (lambda name: name.replace('images-idx3', 'images-idx4'), 'train-images/00000000'),
    ],
)
def test_other_spellings_of_the_names_are_known(tmp_path, change, first):
    folder = write(tmp_path / 'idx', drawn(), [change(name) for name in NAMES])
    assert Idx.fits(str(folder))
    listing = listed(folder)
    assert facts(listing) == facts(listed(write(tmp_path / 'mnist', drawn())))
    assert listing.images[0].filename == first


def test_of_a_file_that_is_there_twice_the_plain_one_is_read(tmp_path):
    write(tmp_path / 'idx', [b'damaged'] * 4, pack=True)
    assert listed(write(tmp_path / 'idx', drawn())).examples == 11


def test_other_files_do_not_matter(tmp_path):
    folder = write(tmp_path / 'idx', drawn())
    for name in ('readme.txt', '._train-images-idx3-ubyte', 'train-images-idx3-ubyte.gz.part'):
        (folder / name).write_bytes(b'x')
    (folder / 'test-images-idx3-ubyte').mkdir()
    os.mkfifo(folder / 'test-labels-idx1-ubyte')
    assert listed(folder).examples == 11


def test_fits_asks_for_images_and_never_fails(tmp_path):
    folder = write(tmp_path / 'idx', drawn()[1:2], NAMES[1:2])
    paths = ['', str(tmp_path / 'gone'), 's3://bucket', '\0', str(tmp_path), str(folder)]
    assert [Idx.fits(path) for path in paths] == [False] * 6
    assert Idx.fits(str(write(tmp_path / 'idx', [b''], NAMES[:1])))
    assert not Idx.fits(str(tmp_path / 'idx' / NAMES[0]))


@pytest.mark.graph
def test_remote_folders_are_read(tmp_path):
    expected = facts(listed(write(tmp_path / 'mnist', drawn())))
    for kind, pack in (('plain', False), ('packed', True)):
        local = write(tmp_path / kind, drawn(), pack=pack)
        files.make_folder(f'ram://{kind}')
        for name in os.listdir(local):
            files.write_atomically(f'ram://{kind}/{name}', (local / name).read_bytes())
        assert Idx.fits(f'ram://{kind}')
        assert facts(listed(f'ram://{kind}')) == expected
    files.write_atomically('ram://plain/train-images-idx3-ubyte', encoded(drawn()[0])[:-1])
    with pytest.raises(DataError, match='692 bytes after the header, which promises 693'):
        listed('ram://plain')


# What is missing or too much.


def test_a_path_that_is_not_there_or_no_idx_is_reported(tmp_path):
    gone = tmp_path / 'gone'
    fails(ConfigError, gone, f'{gone}: no such folder (--dataset_dir)')
    expected = 'no IDX files there, such as train-images-idx3-ubyte.gz (--dataset_dir)'
    fails(ConfigError, tmp_path, f'{tmp_path}: {expected}')


@pytest.mark.parametrize(
    ('left_out', 'there', 'missing'),
    [
        (1, 'train-images-idx3-ubyte', 'train-labels-*'),
        (2, 't10k-labels-idx1-ubyte', 't10k-images-*'),
    ],
)
def test_pixels_without_labels_are_reported_and_so_are_labels_alone(
    tmp_path, left_out, there, missing
):
    folder = write(tmp_path / 'idx', drawn())
    (folder / NAMES[left_out]).unlink()
    fails(DataError, folder, f'{folder}: {there} is there, but {missing} is not')


def test_several_data_sets_in_one_folder_are_not_mixed(tmp_path):
    for prefix in ('', 'emnist-letters-'):
        folder = write(tmp_path / 'idx', drawn(), [f'{prefix}{name}' for name in NAMES])
    reason = 'holds 2 data sets (*, emnist-letters-*); keep one in a folder'
    fails(ConfigError, folder, f'{folder}: {reason}')


def test_two_sets_of_test_files_are_not_mixed(tmp_path):
    folder = write(tmp_path / 'idx', drawn())
    write(folder, drawn()[2:], ['test-images-idx3-ubyte', 'test-labels-idx1-ubyte'])
    fails(ConfigError, folder, f'{folder}: holds both t10k-* and test-* files; keep one of the two')


def test_as_many_labels_as_images(tmp_path):
    arrays = drawn()
    folder = write(tmp_path / 'idx', (arrays[0], arrays[1][:6], *arrays[2:]))
    labels = f'{folder}/train-labels-idx1-ubyte'
    fails(
        DataError, folder, f'{folder}/train-images-idx3-ubyte: 7 images, but 6 labels in {labels}'
    )


# Damaged and hostile files.

PIXELS = encoded(drawn()[0])


def promise(*shape, content=b''):
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f'>{len(shape)}I', *shape) + content


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (b'', 'not an IDX file of unsigned bytes (starts with nothing)'),
        (b'\0\0', 'not an IDX file of unsigned bytes (starts with 00 00)'),
        (b'\x1f\x8b\x08\0', 'not an IDX file of unsigned bytes (starts with 1f 8b 08 00)'),
        (encoded([[[1]]], 13), 'not an IDX file of unsigned bytes (starts with 00 00 0d 03)'),
        (promise(7), '1 dimensions, but images have 3, or 4 with colours'),
        (promise(*[1] * 255), '255 dimensions, but images have 3, or 4 with colours'),
        (promise(7, 9, 11)[:-1], 'cut off in the header'),
        (promise(0, 28, 28), f'the shape is [0, 28, 28], not {"[N, height, width]"}'),
        (promise(2**32 - 1, 0, 0), f'the shape is [4294967295, 0, 0], not {"[N, height, width]"}'),
        (
            promise(1, 8, 8, 4, content=bytes(256)),
            'the shape is [1, 8, 8, 4], not [N, height, width, 3]',
        ),
        (
            promise(10**7 + 1, 1, 1, content=bytes(10**7 + 1)),
            'the shape is [10000001, 1, 1], not [N, height, width] with N from 1 to 10000000',
        ),
        (PIXELS[:-1], '692 bytes after the header, which promises 693'),
        (PIXELS[:16], '0 bytes after the header, which promises 693'),
    ],
    ids=lambda value: '' if isinstance(value, bytes) else None,
)
@pytest.mark.parametrize('pack', [False, True])
def test_a_damaged_file_is_named(tmp_path, content, reason, pack):
    folder = write(tmp_path / 'idx', (content, *drawn()[1:]), pack=pack)
    path = f'{folder}/{NAMES[0]}' + ('.gz' if pack else '')
    with pytest.raises(DataError, match=f'^{re.escape(f"{path}: {reason}")}'):
        listed(folder)


def test_labels_have_one_dimension(tmp_path):
    folder = write(tmp_path / 'idx', (drawn()[0], drawn()[0], *drawn()[2:]))
    fails(DataError, folder, f'{folder}/{NAMES[1]}: 3 dimensions, but labels have 1')


def test_a_file_that_is_too_long_is_reported(tmp_path):
    arrays = (PIXELS + b'x', *drawn()[1:])
    folder = write(tmp_path / 'plain', arrays)
    reason = '694 bytes after the header, which promises 693'
    fails(DataError, folder, f'{folder}/{NAMES[0]}: {reason}')
    folder = write(tmp_path / 'packed', arrays, pack=True)
    reason = 'more than the 693 bytes that the header promises'
    fails(DataError, folder, f'{folder}/{NAMES[0]}.gz: {reason}')


@pytest.mark.parametrize('shape', [(10**7, 2**32 - 1, 2**32 - 1), (1, 2**31, 2**31)])
def test_sizes_that_no_memory_holds_are_refused(tmp_path, shape):
    expected = np.prod([int(size) for size in shape], dtype=object)
    content = promise(*shape, content=b'x' * 9)
    folder = write(tmp_path / 'plain', (content, *drawn()[1:]))
    reason = f'9 bytes after the header, which promises {expected}'
    fails(DataError, folder, f'{folder}/{NAMES[0]}: {reason}')
    folder = write(tmp_path / 'packed', (content, *drawn()[1:]), pack=True)
    path = folder / f'{NAMES[0]}.gz'
    reason = f'its {path.stat().st_size} bytes cannot hold the {expected} that the header promises'
    fails(DataError, folder, f'{path}: {reason}')


def test_what_does_not_fit_into_memory_must_be_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(idx, 'MAX_IN_MEMORY', 600)
    folder = write(tmp_path / 'packed', drawn(), pack=True)
    reason = '693 bytes are too many to hold in memory; put it, unpacked, on a local disk'
    fails(DataError, folder, f'{folder}/{NAMES[0]}.gz: {reason}')
    assert listed(write(tmp_path / 'plain', drawn())).examples == 11


def test_too_little_memory_is_one_line(tmp_path, monkeypatch):
    folder = write(tmp_path / 'packed', drawn(), pack=True)

    def full(*_):
        raise MemoryError

    monkeypatch.setattr(idx, '_fill', full)
    fails(ResourceError, folder, f'{folder}: the images do not fit into memory')


def test_every_cut_of_a_packed_file_is_an_error(tmp_path):
    folder = write(tmp_path / 'idx', drawn(), pack=True)
    path = folder / f'{NAMES[0]}.gz'
    whole = path.read_bytes()
    for length in [*range(1, 40), *range(40, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=rf'^{re.escape(str(path))}: '):
            listed(folder)


def test_altered_bytes_in_a_packed_file_are_reported(tmp_path):
    folder = write(tmp_path / 'idx', drawn(), pack=True)
    path = folder / f'{NAMES[0]}.gz'
    whole = path.read_bytes()
    for position in range(10, len(whole), 23):
        altered = bytes([whole[position] ^ 0x55])
        path.write_bytes(whole[:position] + altered + whole[position + 1 :])
        with pytest.raises(DataError, match=rf'^{re.escape(str(path))}: '):
            listed(folder)


LIMITED = """
import resource, sys
from library.errors import DataError
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from extras.array_sources.idx import Idx
used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (100 << 20), -1))
for path in sys.argv[1:]:
    try:
        Idx(SourceOptions(dataset_dir=path), Output('out', None)).listing()
        print('no error')
    except DataError as error:
        print(error)
"""


@pytest.mark.process
def test_hostile_files_do_not_exhaust_memory(tmp_path, program):
    zeros = bytes(200 << 20)
    labels = drawn()[1:2]
    bomb = write(tmp_path / 'bomb', [b'', *labels], NAMES[:2], pack=True)
    packed = gzip.compress(promise(7, 9, 11) + zeros, 1)
    (bomb / f'{NAMES[0]}.gz').write_bytes(packed)
    lying = write(tmp_path / 'lying', [promise(7, 2**31, 2**31), *labels], NAMES[:2], pack=True)
    plain = write(tmp_path / 'plain', [promise(7, 2**31, 2**31), *labels], NAMES[:2])
    done = program('-c', LIMITED, bomb, lying, plain, timeout=100)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].endswith('more than the 693 bytes that the header promises')
    assert lines[1].endswith(f'cannot hold the {7 * 2**62} that the header promises')
    assert lines[2].endswith(f'0 bytes after the header, which promises {7 * 2**62}')
