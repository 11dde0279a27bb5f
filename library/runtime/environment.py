"""What the process prints: TensorFlow's messages, and whether a person wants them."""

from __future__ import annotations

import logging
import os
import warnings

# The logger that tells, by its level, whether a person wants to see everything.
PROGRAM = 'library'


def is_verbose() -> bool:
    """True once `quiet_tensorflow` was told to leave all messages on."""
    return logging.getLogger(PROGRAM).isEnabledFor(logging.DEBUG)


def quiet_tensorflow(verbose: bool) -> None:
    """Sets up logging; call it before TensorFlow is imported.

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
