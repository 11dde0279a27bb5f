"""convert_dataset.py within this process, which has TensorFlow already."""

from __future__ import annotations

import signal

import convert_dataset
from library.runtime.entry import run_program

SHARDS = ['train-00000-of-00002.tfrecord', 'train-00001-of-00002.tfrecord']


def flags(images, output=None, **others) -> list[str]:
    """The command line of the README, and more; None leaves a flag out."""
    values = {
        'dataset_dir': images,
        'tfrecord_filename': 'train',
        'tfrecord_dir': images if output is None else output,
        'max_edge': 384,
        'workers': 1,
        **others,
    }
    given = {name: value for name, value in values.items() if value is not None}
    return [str(word) for name, value in given.items() for word in (f'--{name}', value)]


def convert(capsys, *argv: str) -> tuple[int, str, str]:
    """Runs the program; gives its status, and what it said on stdout and on stderr."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        status = run_program(convert_dataset.main, argv)
    finally:
        signal.signal(signal.SIGTERM, handler)
    return status, *capsys.readouterr()
