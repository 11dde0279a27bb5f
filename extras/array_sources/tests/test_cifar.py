"""CIFAR's pickled batches, whole, damaged and hostile, to a list of labelled pixels."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import pickle
import re
import struct
import tarfile
from typing import ClassVar

import numpy as np
import pytest

from extras.array_sources import cifar
from extras.array_sources.cifar import Cifar10, Cifar100
from extras.array_sources.unpickling import MAX_STEPS, RefusedPickle, unpickle
from library import files
from library.errors import ConfigError, DataError, ResourceError
from library.preparation.options import SourceOptions
from library.preparation.output import Output

pytestmark = pytest.mark.unit

CLASSES = [b'airplane', b'automobile', b'bird']
ROWS = 5


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its str, as in the files that are downloaded."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        short = len(value) < 256
        length = bytes([len(value)]) if short else struct.pack('<i', len(value))
        self.write((b'U' if short else b'T') + length + value)
        self.memoize(value)

    dispatch[bytes] = save_string


def python_2(value):
    file = io.BytesIO()
    Python2Pickler(file, 2).dump(value)
    return file.getvalue()


def python_3(value):
    return pickle.dumps(value, protocol=2)


def drawn(seed, rows=ROWS, labels_key=b'labels', **changes):
    random = np.random.default_rng(seed)
    batch = {
        b'batch_label': b'batch %d, caf\xe9' % seed,
        labels_key: [row % len(CLASSES) for row in range(rows)],
        b'data': random.integers(0, 256, (rows, 3072), np.uint8),
        b'filenames': [b'caf\xe9_s_%06d.png' % (seed * 100 + row) for row in range(rows)],
    }
    batch.update({key.encode(): value for key, value in changes.items()})
    return {key: value for key, value in batch.items() if value is not None}


def cifar_10():
    values = {f'data_batch_{n}': drawn(n) for n in range(1, 6)}
    meta = {b'num_cases_per_batch': ROWS, b'label_names': CLASSES, b'num_vis': 3072}
    return {**values, 'test_batch': drawn(6), 'batches.meta': meta}


def cifar_100(rows=10):
    key = b'fine_labels'
    coarse = [0] * rows
    return {
        'train': drawn(1, rows, key, coarse_labels=coarse),
        'test': drawn(2, rows, key, coarse_labels=coarse),
        'meta': {b'fine_label_names': CLASSES, b'coarse_label_names': [b'thing']},
    }


def pickled(values, dump=python_2):
    """Contents by name; bytes are contents already."""
    return {
        name: value if isinstance(value, bytes) else dump(value) for name, value in values.items()
    }


def write_folder(folder, values, dump=python_2):
    folder.mkdir(parents=True)
    for name, content in pickled(values, dump).items():
        (folder / name).write_bytes(content)
    return folder


def write_tar(path, members, **options):
    """Members are name to content, or ready TarInfo objects with their content."""
    with tarfile.open(path, 'w:gz', compresslevel=1, **options) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def write_archive(folder, values, inner='cifar-10-batches-py', name='cifar-10-python.tar.gz'):
    members = [(f'{inner}/{each}', content) for each, content in pickled(values).items()]
    return write_tar(folder / name, members)


def listed(path, kind=Cifar10):
    return kind(SourceOptions(dataset_dir=str(path)), Output('out', None)).listing()


def fails(error, path, text, kind=Cifar10):
    with pytest.raises(error) as raised:
        listed(path, kind)
    assert str(raised.value) == text


def facts(listing):
    return [(image.filename, image.label, image.split) for image in listing.images]


def by_split(listing):
    return {
        split: len([image for image in listing.images if image.split == split])
        for split in listing.splits
    }


# What is listed.


def test_cifar_10_has_four_batches_to_train_one_for_validation_and_one_to_test(tmp_path):
    listing = listed(write_folder(tmp_path / 'cifar-10-batches-py', cifar_10()))
    assert listing.class_names == ('airplane', 'automobile', 'bird')
    assert by_split(listing) == {'train': 4 * ROWS, 'validation': ROWS, 'test': ROWS}
    splits = {image.filename.split('/')[0]: image.split for image in listing.images}
    assert splits['data_batch_4'] == 'train'
    assert splits['data_batch_5'] == 'validation'
    assert splits['test_batch'] == 'test'


def test_cifar_100_gives_its_last_fifth_to_validation_and_takes_the_fine_labels(tmp_path):
    listing = listed(write_folder(tmp_path / 'cifar-100-python', cifar_100()), Cifar100)
    assert listing.class_names == ('airplane', 'automobile', 'bird')
    assert by_split(listing) == {'train': 8, 'validation': 2, 'test': 10}
    assert [image.split for image in listing.images][7:9] == ['train', 'validation']
    assert [image.label for image in listing.images][:4] == [0, 1, 2, 0]


def test_an_image_has_the_pixels_of_its_row_red_first_then_green_then_blue(tmp_path):
    row = np.arange(3072).reshape(3, 32, 32) % 251
    values = cifar_10() | {'data_batch_1': drawn(1, 1, data=row.reshape(1, -1).astype(np.uint8))}
    image = listed(write_folder(tmp_path / 'cifar', values)).images[0]
    assert image.content.shape == (32, 32, 3)
    assert image.content.dtype == np.uint8
    assert image.content[2, 5].tolist() == [row[0, 2, 5], row[1, 2, 5], row[2, 2, 5]]
    assert image.size == 3072


def test_the_images_of_a_batch_share_its_memory(tmp_path):
    images = listed(write_folder(tmp_path / 'cifar', cifar_10())).images
    assert images[0].content.base is images[1].content.base
    assert not images[0].content.flags.owndata


def test_columns_first_is_the_same_array(tmp_path):
    batch = drawn(1)
    values = cifar_10() | {'data_batch_1': batch | {b'data': np.asfortranarray(batch[b'data'])}}
    image = listed(write_folder(tmp_path / 'cifar', values)).images[1]
    np.testing.assert_array_equal(image.content[:, :, 2].ravel(), batch[b'data'][1, 2048:])


def test_names_are_those_of_the_batch_below_the_batch(tmp_path):
    listing = listed(write_folder(tmp_path / 'cifar', cifar_10()))
    assert facts(listing)[6] == ('data_batch_2/café_s_000201.png', 1, 'train')
    assert len({image.filename for image in listing.images}) == 6 * ROWS


@pytest.mark.parametrize(
    ('names', 'expected'),
    [
        (None, ['00000000', '00000001', '00000002']),
        ([b'a.png'], ['00000000', '00000001', '00000002']),
        ([b'a.png', b'a.png', b'a.png'], ['a.png', '00000001-a.png', '00000002-a.png']),
        ([b'../a.png', b'', 7], ['00000000', '00000001', '00000002']),
        ([b'a\nb', b'x' * 300, 'ü.png'], ['00000000', '00000001', 'ü.png']),
    ],
)
def test_where_names_are_missing_odd_or_there_twice_the_number_stands_in(tmp_path, names, expected):
    values = cifar_10() | {'data_batch_1': drawn(1, 3, filenames=names)}
    listing = listed(write_folder(tmp_path / 'cifar', values))
    found = [image.filename for image in listing.images[:3]]
    assert found == [f'data_batch_1/{name}' for name in expected]


@pytest.mark.parametrize('protocol', [0, 1, 2, 3, 4])
def test_batches_written_again_by_python_3_are_read_too(tmp_path, protocol):
    values = cifar_10()
    if protocol < 2:  # an array takes a line for each of its bytes there
        values = values['batches.meta']
        again = unpickle(pickle.dumps(values, protocol=protocol))
        assert again == values
        return
    first = write_folder(tmp_path / 'first', values)
    again = write_folder(tmp_path / 'again', values, lambda v: pickle.dumps(v, protocol=protocol))
    assert facts(listed(first)) == facts(listed(again))
    pixels = [np.stack([image.content for image in listed(f).images]) for f in (first, again)]
    np.testing.assert_array_equal(*pixels)


def test_keys_may_be_texts(tmp_path):
    values = {
        name: {key.decode(): item for key, item in value.items()}
        for name, value in cifar_10().items()
    }
    listing = listed(write_folder(tmp_path / 'cifar', values, python_3))
    assert listing.examples == 6 * ROWS


# Where it is found.


def test_the_archive_the_folder_and_folders_that_hold_them_are_the_same(tmp_path):
    values = cifar_10()
    unpacked = write_folder(tmp_path / 'a' / 'cifar-10-batches-py', values)
    (tmp_path / 'b').mkdir()
    archive = write_archive(tmp_path / 'b', values)
    paths = [unpacked, f'{unpacked}/', tmp_path / 'a', archive, tmp_path / 'b']
    assert all(Cifar10.fits(str(path)) for path in paths)
    assert not any(Cifar100.fits(str(path)) for path in paths)
    assert len({str(facts(listed(path))) for path in paths}) == 1
    assert listed(tmp_path / 'b').folder == str(archive)


def test_the_order_of_an_archive_does_not_matter(tmp_path):
    values = cifar_10()
    (tmp_path / 'a').mkdir()
    (tmp_path / 'b').mkdir()
    first = write_archive(tmp_path / 'a', values)
    second = write_archive(tmp_path / 'b', dict(reversed(values.items())))
    assert facts(listed(first)) == facts(listed(second))


def test_an_archive_of_cifar_100_is_read(tmp_path):
    archive = write_archive(tmp_path, cifar_100(), 'cifar-100-python', 'cifar-100-python.tar.gz')
    assert Cifar100.fits(str(archive))
    assert not Cifar10.fits(str(archive))
    assert listed(archive, Cifar100).examples == 20


def test_folders_named_train_and_test_are_not_cifar_100(tmp_path):
    for name in ('train', 'test', 'meta'):
        (tmp_path / name).mkdir()
    assert not Cifar100.fits(str(tmp_path))


def test_fits_never_fails(tmp_path):
    paths = ['', str(tmp_path / 'gone'), 's3://bucket/cifar-10-python.tar.gz', '\0', str(tmp_path)]
    assert not any(kind.fits(path) for path in paths for kind in (Cifar10, Cifar100))


def test_a_fifo_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / 'cifar-10-python.tar.gz')
    assert not Cifar10.fits(str(tmp_path))
    folder = write_folder(tmp_path / 'cifar-10-batches-py', cifar_10())
    (folder / 'test_batch').unlink()
    os.mkfifo(folder / 'test_batch')
    with pytest.raises(DataError, match='test_batch missing'):
        listed(folder)


@pytest.mark.graph
def test_remote_archives_and_folders_are_read(tmp_path):
    values = cifar_10()
    files.make_folder('ram://cifar/cifar-10-batches-py')
    for name, content in pickled(values).items():
        files.write_atomically(f'ram://cifar/cifar-10-batches-py/{name}', content)
    archive = write_archive(tmp_path, values)
    files.make_folder('ram://packed')
    files.write_atomically('ram://packed/cifar-10-python.tar.gz', archive.read_bytes())
    for path in ('ram://cifar', 'ram://packed', 'ram://packed/cifar-10-python.tar.gz'):
        assert Cifar10.fits(path)
        assert facts(listed(path)) == facts(listed(archive))
    fails(ConfigError, 'ram://none', 'ram://none: no such file or folder (--dataset_dir)')


def test_a_path_that_is_not_there_or_no_cifar_is_reported(tmp_path):
    gone = tmp_path / 'gone'
    fails(ConfigError, gone, f'{gone}: no such file or folder (--dataset_dir)')
    expected = 'no CIFAR-10 there, neither cifar-10-python.tar.gz nor cifar-10-batches-py'
    fails(ConfigError, tmp_path, f'{tmp_path}: {expected} (--dataset_dir)')


# What is wrong with a batch.


def test_missing_batches_are_named(tmp_path):
    values = cifar_10()
    del values['data_batch_3'], values['test_batch']
    folder = write_folder(tmp_path / 'cifar', values)
    wanted = 'batches.meta, data_batch_1, data_batch_2, data_batch_3, data_batch_4, data_batch_5'
    reason = f'data_batch_3, test_batch missing (CIFAR-10 is {wanted}, test_batch)'
    fails(DataError, folder, f'{folder}: {reason}')
    archive = write_archive(tmp_path, values)
    fails(DataError, archive, f'{archive}: {reason}')
    (tmp_path / 'cifar-10-batches-py').mkdir()
    with pytest.raises(DataError, match=r'batches.meta, data_batch_1, .* missing'):
        listed(tmp_path / 'cifar-10-batches-py')


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        ({'data': np.zeros((2, 3072), np.uint8)}, '2 images, but 3 labels'),
        ({'data': np.zeros((3, 3000), np.uint8)}, "'data' is [3, 3000], expected [N, 3072]"),
        ({'data': np.zeros(3072, np.uint8)}, "'data' is [3072], expected [N, 3072]"),
        (
            {'data': np.zeros((3, 32, 32, 3), np.uint8)},
            "'data' is [3, 32, 32, 3], expected [N, 3072]",
        ),
        (
            {'data': np.zeros((3, 3072), np.float32)},
            "the pickle holds an array of type 'f4', not of uint8",
        ),
        (
            {'data': np.full((3, 3072), None)},
            "the pickle holds an array of type 'O8', not of uint8",
        ),
        ({'data': [[0] * 3072] * 3}, "holds no array 'data'"),
        ({'data': None}, "holds no array 'data'"),
        ({'labels': None}, "holds no list 'labels'"),
        ({'labels': (0, 1, 2)}, "holds no list 'labels'"),
        ({'labels': [0, 1]}, '3 images, but 2 labels'),
        ({'labels': [0, 1.0, 2]}, 'the label of image 1 is not a whole number'),
        ({'labels': [0, True, 2]}, 'the label of image 1 is not a whole number'),
        (
            {'labels': [0, 1, 3]},
            'label 3 of image 2 is out of range: there are 3 classes, 0 to 2',
        ),
        (
            {'labels': [0, -1, 2]},
            'label -1 of image 1 is out of range: there are 3 classes, 0 to 2',
        ),
    ],
)
def test_an_odd_batch_is_named(tmp_path, change, reason):
    values = cifar_10() | {'data_batch_2': drawn(2, 3, **change)}
    folder = write_folder(tmp_path / 'cifar', values)
    fails(DataError, folder, f'{folder}/data_batch_2: {reason}')


@pytest.mark.parametrize('names', [[], [b'a', b'a'], [b'a', 1], [b'a\nb'], [b'x' * 300]])
def test_class_names_must_be_names(tmp_path, names):
    folder = write_folder(
        tmp_path / 'cifar', cifar_10() | {'batches.meta': {b'label_names': names}}
    )
    text = f"{folder}/batches.meta: 'label_names' are not the names of classes"
    fails(DataError, folder, text)


def test_a_batch_that_is_no_dict_is_named(tmp_path):
    folder = write_folder(tmp_path / 'cifar', cifar_10() | {'test_batch': python_2([1, 2])})
    fails(DataError, folder, f'{folder}/test_batch: the pickle holds a list, not a dict')


def test_every_cut_of_a_batch_is_an_error():
    whole = python_2(drawn(1))
    for length in [*range(200), *range(200, len(whole), 501), len(whole) - 1]:
        with pytest.raises(RefusedPickle, match='damaged'):
            unpickle(whole[:length])


def test_altered_bytes_never_raise_anything_else():
    whole = bytearray(python_2(drawn(1, rows=1)))
    random = np.random.default_rng(0)
    for _ in range(3000):
        altered = bytearray(whole)
        for _ in range(random.integers(1, 4)):
            altered[random.integers(0, 400) - 200] = random.integers(0, 256)
        with contextlib.suppress(RefusedPickle):
            unpickle(bytes(altered))


def test_a_file_larger_than_any_batch_is_not_read(tmp_path):
    folder = write_folder(tmp_path / 'cifar', cifar_10())
    with open(folder / 'data_batch_1', 'wb') as file:
        file.truncate(1 << 40)
    text = f'{folder}/data_batch_1: {1 << 40} bytes are more than any batch has'
    fails(DataError, folder, text)


def test_too_little_memory_is_one_line(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / 'cifar', cifar_10())

    def full(*_):
        raise MemoryError

    monkeypatch.setattr(cifar, '_batch', full)
    fails(ResourceError, folder, f'{folder}: the images do not fit into memory')


# Hostile pickles.


class Calls:
    """Pickles into a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('protocol', [0, 1, 2, 3, 4, 5])
def test_a_pickle_that_runs_a_command_runs_none(tmp_path, protocol):
    touched = tmp_path / 'touched'
    evil = pickle.dumps(Calls(os.system, f'touch {touched}'), protocol=protocol)
    folder = write_folder(tmp_path / 'cifar', cifar_10() | {'data_batch_1': evil})
    reason = 'the pickle asks for posix.system, which is no data; nothing was run'
    fails(DataError, folder, f'{folder}/data_batch_1: {reason}')
    archive = write_archive(tmp_path, cifar_10() | {'data_batch_1': evil})
    fails(DataError, archive, f'{archive}/data_batch_1: {reason}')
    assert not touched.exists()
    pickle.loads(evil)
    assert touched.exists()


def text(value):
    return b'X' + struct.pack('<i', len(value)) + value


ARRAY = b'cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR'
U1 = b'cnumpy\ndtype\n(U\x02u1K\x00K\x01tR'


@pytest.mark.parametrize(
    ('pickle_bytes', 'reason'),
    [
        (b'cbuiltins\neval\n.', 'asks for builtins.eval, which'),
        (b'c__builtin__\nbytearray\n(K\x01tR.', 'asks for __builtin__.bytearray, which'),
        (b'cnumpy\nload\n.', 'asks for numpy.load, which'),
        (b'cnumpy.core.multiarray\nscalar\n.', 'asks for numpy.core.multiarray.scalar, which'),
        (b'\x80\x04' + text(b'os') + text(b'system') + b'\x93.', 'asks for os.system, which'),
        (b'(' + text(b'true') + b'iposix\nsystem\n.', 'asks for posix.system, which'),
        (b'cos\x1b[31m\nsystem\n.', r'asks for os\\x1b\[31m.system, which'),
        (text(b'\xe2\x80\xa8') + text(b'x' * 999) + b'\x93.', r'asks for \\u2028.x{78}, which'),
        (b'cnumpy\nndarray\n(K\x01tR.', 'calls numpy.ndarray'),
        (b'cnumpy\nndarray\n)\x81.', 'holds the opcode NEWOBJ, which data does not need'),
        (b'Pid\n.', 'holds the opcode PERSID'),
        (b'\x82\x01.', 'holds the opcode EXT1'),
        (b'cnumpy\ndtype\n}b.', 'damaged .TypeError: a _Global in place of a _Dtype'),
        (b'cnumpy\ndtype\n(U\x02O8K\x00K\x01tR.', "an array of type 'O8', not of uint8"),
        (U1 + b'}b.', None),
        (ARRAY + b'(K\x01(K\x02K\x03t' + U1 + b'\x89]t' + b'b.', 'TypeError: a list in place'),
        (ARRAY + b'(K\x01(K\x02K\x03t' + U1 + b'\x89U\x04abcdtb.', r'an array \[2, 3\] of 4 bytes'),
        (ARRAY + b'(K\x01(J\xff\xff\xff\xfftU\x02O8\x89U\x00tb.', 'in place of a _Dtype'),
        (ARRAY + b'(K\x01(J\xff\xff\xff\xfft' + U1 + b'\x89U\x00tb.', 'not a possible one'),
        (b'c_codecs\nencode\n(' + text(b'a') + text(b'zlib') + b'tR.', 'ValueError: text is enc'),
        (b'S' + b'a' * 20_000 + b'\n.', 'no newline found'),
        (b'I' + b'9' * 9_000 + b'\n.', 'limit'),
        (b'\x8b' + struct.pack('<i', 9_000) + b'\x7f' * 9_000 + b'.', 'the opcode LONG4'),
        (b'}(K\x01K\x01K\x02)u.', 'TypeError: a key is a int'),
        (b'}))s.', 'a key is a tuple'),
        (b'.', 'damaged'),
        (b'', 'damaged .ValueError: pickle exhausted'),
        (b'\xff', 'unknown'),
        (b'N' * (MAX_STEPS + 1) + b'.', f'has more than {MAX_STEPS} steps'),
        (b'p' + b'9' * 30 + b'\n.', 'memo number is too large'),
        (b'Nr\xff\xff\xff\x7f.', 'memo number is too large'),
        (b'\x8e' + struct.pack('<Q', 1 << 60) + b'.', 'damaged .ValueError: expected'),
        (b'\x8d' + struct.pack('<Q', (1 << 63) - 1) + b'.', 'damaged .ValueError: expected'),
        (b'T' + struct.pack('<i', -1) + b'.', 'damaged .ValueError'),
    ],
    ids=lambda value: '' if isinstance(value, bytes) else None,
)
def test_a_hostile_pickle_is_refused(pickle_bytes, reason):
    if reason is None:
        unpickle(pickle_bytes)
        return
    with pytest.raises(RefusedPickle, match=reason) as refused:
        unpickle(pickle_bytes)
    assert str(refused.value).isprintable()


def test_deep_nesting_is_no_recursion():
    assert len(unpickle(b']' * 200_000 + b'a' * 199_999 + b'.')) == 1
    # Lists of twice the list before, 1000 levels deep: 2^1000 of them if they were walked.
    assert len(unpickle(b']q\x00' + b'(h\x00h\x00lq\x00' * 1000 + b'.')) == 2


LIMITED = """
import resource, sys
import numpy
from library.errors import DataError
from library.preparation.options import SourceOptions
from library.preparation.output import Output
from extras.array_sources.{module} import {kind}
used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (100 << 20), -1))
for path in sys.argv[1:]:
    try:
        {kind}(SourceOptions(dataset_dir=path), Output('out', None)).listing()
        print('no error')
    except DataError as error:
        print(error)
"""


@pytest.mark.process
def test_hostile_files_do_not_exhaust_memory(tmp_path, program):
    megabyte = text(b'a' * (1 << 20))
    bombs = {
        'memo': b'Nr\xff\xff\xff\x7f.',
        'length': b'\x8e' + struct.pack('<Q', 1 << 34) + b'.',
        'encode': b'c_codecs\nencode\nq\x00' + megabyte + b'q\x01' + text(b'latin1') + b'q\x02]('
        + b'h\x00h\x01h\x02\x86R' * 500 + b'e.',
        'shape': ARRAY + b'(K\x01(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft' + U1 + b'\x89U\x00tb.',
        'line': b'S' + b'a' * (20 << 20) + b'\n.',
    }  # fmt: skip
    paths = [
        write_folder(tmp_path / name, cifar_10() | {'data_batch_1': bomb})
        for name, bomb in bombs.items()
    ]
    zeros = bytes(200 << 20)
    for kind, name in ((tarfile.GNUTYPE_LONGNAME, 'long'), (tarfile.XHDTYPE, 'pax')):
        (tmp_path / name).mkdir()
        info = tarfile.TarInfo('header')
        info.type = kind
        paths.append(write_tar(tmp_path / name / 'cifar-10-python.tar.gz', [(info, zeros)]))
    (tmp_path / 'member').mkdir()
    packed = gzip.compress(header('cifar-10-batches-py/test_batch', 1 << 36), 1)
    paths.append(tmp_path / 'member' / 'cifar-10-python.tar.gz')
    paths[-1].write_bytes(packed)
    code = LIMITED.format(module='cifar', kind='Cifar10')
    done = program('-c', code, *paths, timeout=100)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    expected = [
        'damaged (ValueError: a memo number is too large)',
        'damaged (ValueError: expected 17179869184 bytes',
        'the pickle grows larger than its file',
        'the pickle holds an array [2147483647, 2147483647] of 0 bytes',
        'damaged (ValueError: no newline found',
        'missing (CIFAR-10 is',
        'missing (CIFAR-10 is',
        'the archive is damaged (more than 536870912 bytes unpacked)',
    ]
    assert len(lines) == len(expected)
    for line, path, reason in zip(lines, paths, expected, strict=True):
        assert line.startswith(str(path))
        assert reason in line


# Hostile and damaged archives.


def header(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def test_a_cut_archive_is_reported(tmp_path):
    archive = write_archive(tmp_path, cifar_10())
    whole = archive.read_bytes()
    for length in (5, 100, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        archive.write_bytes(whole[:length])
        with pytest.raises(DataError, match=rf'^{re.escape(str(archive))}: the archive is damaged'):
            listed(archive)


def test_a_tar_that_was_cut_before_it_was_packed_is_reported(tmp_path):
    archive = write_archive(tmp_path, cifar_10())
    archive.write_bytes(gzip.compress(gzip.decompress(archive.read_bytes())[:20_000], 1))
    fails(DataError, archive, f'{archive}: the archive is damaged (cut off)')


def test_altered_bytes_in_an_archive_are_reported(tmp_path):
    archive = write_archive(tmp_path, cifar_10())
    whole = archive.read_bytes()
    for position in range(3, len(whole), len(whole) // 40):
        archive.write_bytes(
            whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :]
        )
        # Gzip's own header says when it was made, which nobody checks.
        if position > 10:
            with pytest.raises(DataError, match='damaged'):
                listed(archive)


def test_what_is_no_archive_is_reported(tmp_path):
    archive = tmp_path / 'cifar-10-python.tar.gz'
    archive.write_bytes(b'<html>not found</html>')
    reason = "the archive is damaged (Not a gzipped file (b'<h'))"
    fails(DataError, archive, f'{archive}: {reason}')
    archive.write_bytes(gzip.compress(b'no tar' * 1000))
    with pytest.raises(DataError, match='the archive is damaged'):
        listed(archive)


def test_only_the_expected_regular_files_of_an_archive_are_read(tmp_path):
    good = list(pickled(cifar_10()).items())
    evil = pickle.dumps(Calls(os.system, f'touch {tmp_path}/touched'))
    members = [
        ('../cifar-10-batches-py/data_batch_1', evil),
        ('/cifar-10-batches-py/data_batch_1', evil),
        ('cifar-10-batches-py/../data_batch_1', evil),
        ('x/cifar-10-batches-py/data_batch_1', evil),
        ('cifar-10-batches-py/._data_batch_1', evil),
        ('cifar-10-batches-py/readme.html', b'<html>'),
        *((f'./cifar-10-batches-py/{name}', content) for name, content in good),
    ]
    archive = write_tar(tmp_path / 'cifar-10-python.tar.gz', members)
    assert listed(archive).examples == 6 * ROWS
    assert sorted(os.listdir(tmp_path)) == ['cifar-10-python.tar.gz']


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    members = [(f'cifar-10-batches-py/{n}', c) for n, c in pickled(cifar_10()).items()]
    link = tarfile.TarInfo(members.pop(0)[0])
    link.type, link.linkname = tarfile.SYMTYPE, '/etc/passwd'
    archive = write_tar(tmp_path / 'cifar-10-python.tar.gz', [(link, b''), *members])
    with pytest.raises(DataError, match='data_batch_1 missing'):
        listed(archive)


@pytest.mark.parametrize('form', [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_kind_of_tar_is_read(tmp_path, form):
    info = tarfile.TarInfo('cifar-10-batches-py/' + 'long/' * 25 + 'é')
    info.mtime = 1.5
    members = [(f'cifar-10-batches-py/{n}', c) for n, c in pickled(cifar_10()).items()]
    folder = tarfile.TarInfo('cifar-10-batches-py')
    folder.type = tarfile.DIRTYPE
    members = [(folder, b''), *members[:3], (info, b'ignored'), *members[3:]]
    archive = write_tar(tmp_path / 'cifar-10-python.tar.gz', members, format=form)
    assert listed(archive).examples == 6 * ROWS


def test_a_member_that_claims_more_than_a_batch_has_is_not_read(tmp_path):
    archive = tmp_path / 'cifar-10-python.tar.gz'
    archive.write_bytes(gzip.compress(header('cifar-10-batches-py/test_batch', 300 << 20)))
    fails(DataError, archive, f'{archive}: cifar-10-batches-py/test_batch claims 314572800 bytes')


@pytest.mark.process
def test_importing_the_source_does_not_import_tensorflow(program):
    code = (
        'import sys; import extras.array_sources.cifar, extras.array_sources.idx;'
        "print('tensorflow' in sys.modules)"
    )
    assert program('-c', code).stdout == 'False\n'
