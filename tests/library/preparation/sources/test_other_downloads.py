"""Downloads of known data sets that no source reads: what a person is told to do."""

from __future__ import annotations

import pytest

from library.errors import ConfigError
from library.preparation.sources.registry import find_source
from project.sources import SOURCES
from tests.library.preparation.sources.test_csv_file import write_images

PYTHON = 'download its python version (cifar-10-python.tar.gz, cifar-100-python.tar.gz)'


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('data_batch_1.bin', f'data_batch_1.bin is CIFAR, binary: {PYTHON}'),
        ('data_batch_1.mat', f'data_batch_1.mat is CIFAR, MATLAB: {PYTHON}'),
        ('train_32x32.mat', 'train_32x32.mat is SVHN: write its images to files and a CSV file'),
        ('train_X.bin', 'train_X.bin is STL-10: write its images'),
        ('kmnist-train-imgs.npz', 'kmnist-train-imgs.npz is Kuzushiji-MNIST: download train-im'),
        ('mine.npz', 'mine.npz is an array file: write its images'),
        ('data.arrow', 'data.arrow is a table that no source here reads: write its images'),
    ],
)
def test_a_download_is_named_with_what_to_do(tmp_path, name, message):
    write_images(tmp_path, f'set/{name}')
    for path in (tmp_path / 'set', tmp_path / 'set' / name):
        with pytest.raises(ConfigError) as caught:
            find_source(SOURCES, str(path))
        assert str(caught.value).startswith(f'{path}: {message}')


def test_one_folder_above_says_the_same(tmp_path):
    write_images(tmp_path, 'cifar-10-batches-bin/data_batch_1.bin')
    with pytest.raises(ConfigError, match='cifar-10-batches-bin is CIFAR, binary'):
        find_source(SOURCES, str(tmp_path))


def test_arrays_beside_class_folders_do_not_matter(tmp_path):
    write_images(tmp_path, 'cat/1.jpg', 'features.npz')
    assert find_source(SOURCES, str(tmp_path)) == 'folder'
