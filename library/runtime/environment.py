"""Decide what the process prints of TensorFlow's messages."""

from __future__ import annotations

import logging
import os
import warnings

# The logger that tells, by its level, whether a person wants to see everything.
PROGRAM = 'library'


def is_verbose() -> bool:
    """Return whether a person wants to see all messages."""
    return logging.getLogger(PROGRAM).isEnabledFor(logging.DEBUG)


def quiet_tensorflow(verbose: bool) -> None:
    """Set up logging; call it before TensorFlow is imported.

    TensorFlow's start-up messages (missing GPUs, instruction sets, deprecations) are no news to
    anyone who trains a model; with `verbose` they stay.
    """
    # TensorFlow adds a handler of its own only where the root logger has none.
    logging.basicConfig(format='%(message)s', level=logging.INFO)
    if verbose:
        logging.getLogger(PROGRAM).setLevel(logging.DEBUG)
        return
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    for name in ('tensorflow', 'absl', 'h5py', 'matplotlib'):
        logging.getLogger(name).setLevel(logging.ERROR)
    # tensorflow-hub 0.16.1 imports pkg_resources, which warns that it will go away.
    warnings.filterwarnings('ignore', message='pkg_resources is deprecated', category=UserWarning)
    # What feeds the devices of a strategy asks a data set for its options, and so warns of itself.
    warnings.filterwarnings('ignore', message='.* preserve tf.data options', category=UserWarning)
