"""Image files by list_files and from_generator, and Python within a chain."""

from __future__ import annotations

import os

import pytest
import tensorflow as tf

from library.errors import DataError
from library.inputs.direct import from_generator, in_python, list_files

# Each byte that means something in a pattern, to a shell or to a URL, and none that is UTF-8.
ODD_NAMES = [
    b'plain',
    b'[a]',
    b'[!a]',
    b'a*',
    b'?',
    b'{a,b}',
    b'back\\slash',
    b'\\*',
    b'two words',
    b'line\nbreak',
    b'caf\xe9',
    'café'.encode(),
    b'-',
    b'%20',
    b'#&$~',
    b']',
]


@pytest.fixture
def folders(tmp_path):
    """Empty files in folders of odd names, and others that are not listed; gives the labels."""
    labels = {}
    for label, folder in enumerate(ODD_NAMES):
        path = os.path.join(os.fsencode(tmp_path), folder)
        os.mkdir(path)
        for number, name in enumerate([b'1.jpg', b'[2]*.png', b'.3\xff', b'other.jpg']):
            full = os.path.join(path, name)
            open(full, 'wb').close()
            if name != b'other.jpg':
                labels[os.fsdecode(full)] = 10 * label + number
    return labels


def listed(dataset):
    return [(os.fsdecode(path), int(label)) for path, label in dataset.as_numpy_iterator()]


def in_a_graph(make_dataset):
    """The elements of a dataset as an Estimator's session reads them."""
    found = []
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        iterator = tf.compat.v1.data.make_initializable_iterator(make_dataset())
        element = iterator.get_next()
        session.run([iterator.initializer, tf.compat.v1.tables_initializer()])
        while True:
            try:
                path, label = session.run(element)
            except tf.errors.OutOfRangeError:
                return found
            found.append((os.fsdecode(path), int(label)))


def test_the_files_of_oddly_named_folders_have_their_labels_and_no_others_are_there(folders):
    found = listed(list_files(folders))
    assert dict(found) == folders
    assert len(found) == len(folders)


def test_listed_files_are_sorted_by_their_bytes(folders):
    backwards = dict(reversed(folders.items()))
    found = [os.fsencode(path) for path, _ in listed(list_files(backwards))]
    assert found == sorted(map(os.fsencode, folders))


@pytest.mark.parametrize('way', ['.', './/', 'a*/..', '{a,b}/../[a]/..'])
def test_a_folder_is_found_whatever_way_leads_to_it(folders, tmp_path, monkeypatch, way):
    monkeypatch.chdir(tmp_path)
    other = {p.replace(f'{tmp_path}/', f'{way}/', 1): label for p, label in folders.items()}
    assert dict(listed(list_files(other))) == folders


def test_a_relative_path_may_begin_with_an_odd_name(folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    relative = {os.path.relpath(path): label for path, label in folders.items()}
    assert dict(listed(list_files(relative))) == folders


def test_a_folder_behind_a_link_is_found(folders, tmp_path):
    link = tmp_path.parent / f'{tmp_path.name}-link*'
    link.symlink_to(tmp_path)
    linked = {p.replace(f'{tmp_path}/', f'{link}/', 1): label for p, label in folders.items()}
    assert dict(listed(list_files(linked))) == folders


def test_remote_files_are_listed(tmp_path):
    from library import files

    labels = {}
    for label, name in enumerate(['a b/1.jpg', 'c/2.jpg']):
        path = f'ram://{tmp_path}/{name}'
        files.make_folder(os.path.dirname(path))
        files.write_atomically(path, b'x')
        files.write_atomically(f'{os.path.dirname(path)}/other.jpg', b'x')
        labels[path] = label
    assert dict(listed(list_files(labels))) == labels


def test_a_generator_keeps_the_order_that_it_is_given():
    images = [('b.jpg', 1), ('caf\udce9/a.jpg', 0), ('b.jpg', 2)]
    assert listed(from_generator(images)) == images


@pytest.mark.parametrize('kind', [list_files, lambda labels: from_generator(list(labels.items()))])
@pytest.mark.parametrize('read', [listed, in_a_graph])
def test_either_way_starts_anew_in_every_epoch(folders, kind, read):
    def epochs():
        return tf.data.Dataset.range(3).flat_map(
            tf.autograph.experimental.do_not_convert(lambda epoch: kind(folders))
        )

    found = read(epochs) if read is in_a_graph else read(epochs())
    once = listed(kind(folders))
    assert dict(once) == folders
    assert found == once * 3


def call(function, *values):
    dataset = tf.data.Dataset.from_tensor_slices(list(values))
    return list(dataset.map(lambda value: in_python(function, value)).as_numpy_iterator())


def test_python_gets_and_gives_bytes_whatever_they_are():
    odd = [b'', b'\0', b'a\0\0', b'\xff\xfe']
    assert call(lambda value: value, *odd) == odd
    assert call(lambda value: value + b'\0', *odd) == [value + b'\0' for value in odd]


def test_the_result_of_python_is_known_to_be_a_scalar():
    dataset = tf.data.Dataset.from_tensors(b'').map(lambda value: in_python(bytes, value))
    assert dataset.element_spec == tf.TensorSpec([], tf.string)


@pytest.mark.parametrize(
    ('name', 'told'),
    [(b'a.jpg', 'a.jpg'), (b'caf\xe9.jpg', r'caf\udce9.jpg'), (b'a\nb.jpg', 'a b.jpg')],
)
def test_what_python_finds_wrong_ends_the_chain_with_its_words_in_one_line(name, told):
    def refuse(value):
        raise DataError(f'{os.fsdecode(value)}: damaged')

    with pytest.raises(tf.errors.UnknownError) as caught:
        call(refuse, name)
    assert f'DataError: {told}: damaged\n' in str(caught.value)


def test_other_errors_of_python_keep_their_kind_and_their_trace():
    def fail(value):
        raise KeyError('a bug')

    with pytest.raises(tf.errors.UnknownError, match=r"KeyError: 'a bug'[\s\S]*, in fail\b"):
        call(fail, b'')
