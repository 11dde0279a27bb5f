"""Tell what to do with downloads of known data sets that no source reads, by their names."""

from __future__ import annotations

import re

from library import files

_TABLE = 'write its images to files and a CSV file of their classes (docs/data.md)'
_PYTHON = 'download its python version (cifar-10-python.tar.gz, cifar-100-python.tar.gz)'

# Names of files or folders, and what is said of them; the first that matches counts.
_KNOWN = (
    (
        r'cifar-\d+-binary\.tar\.gz|cifar-\d+-batches-bin|data_batch_\d\.bin',
        'CIFAR, binary',
        _PYTHON,
    ),
    (
        r'cifar-\d+-matlab\.tar\.gz|cifar-\d+-batches-mat|data_batch_\d\.mat',
        'CIFAR, MATLAB',
        _PYTHON,
    ),
    (r'cifar10\.1_v\d.*\.npy', 'CIFAR-10.1', _TABLE),
    (r'(train|test|extra)_32x32\.mat', 'SVHN', _TABLE),
    (r'stl10_binary(\.tar\.gz)?|(train|test)_X\.bin', 'STL-10', _TABLE),
    (r'mnist\.npz', 'MNIST of Keras', 'download train-images-idx3-ubyte.gz and its like'),
    (r'k(49|mnist)-.*\.npz', 'Kuzushiji-MNIST', 'download train-images-idx3-ubyte.gz and its like'),
    (r'emnist-.*\.mat', 'EMNIST, MATLAB', 'download its IDX files (gzip.zip)'),
    (r'.*\.(npz|npy|mat|h5|hdf5|pkl|pickle)', 'an array file', _TABLE),
    (r'.*\.(parquet|arrow)', 'a table that no source here reads', _TABLE),
)


def advice(path: str) -> str | None:
    """Return what to do about a file or folder, or what lies in the folder; None if unknown."""
    name = path.rstrip('/').rpartition('/')[2]
    if files.is_folder(path):
        names = files.names_in(path)
        # Folders beside arrays may be classes.
        has_folders = any(files.is_folder(files.join(path, each)) for each in names)
        names = names if has_folders else [name, *names]
    else:
        names, has_folders = [name], False
    for pattern, what, way in _KNOWN[: 6 if has_folders else None]:
        for each in names:
            if re.fullmatch(pattern, each, re.IGNORECASE):
                return f'{each} is {what}: {way}'
    return None
