"""A SavedModel to TFLite models for phones and small computers."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from library.errors import MismatchError
from library.inputs.in_session import in_session
from library.modes.exporting.parity import Answers, Parity, try_answers
from library.modes.exporting.saved_model import IMAGES
from library.modes.exporting.trial import Trial, model_input
from library.modes.serving.saved import OUTPUTS
from library.runtime.environment import is_verbose
from library.runtime.experiment import Experiment

FOLDER = 'tflite'
# By the name of the format: the file.
FILES = {
    'tflite': 'float.tflite',
    'tflite_dynamic': 'dynamic.tflite',
    'tflite_int8': 'int8.tflite',
}
INT8 = 'tflite_int8'
QUANTIZED = ('tflite_dynamic', INT8)
# Training images by which the ranges of the numbers in a network are found; TensorFlow's guide asks
# for 100 to 500.
REPRESENTATIVE = 100
# From so many training images they are drawn, without reading all of a large data set.
DRAWN_FROM = 2000


def convert(saved_model: str, kind: str, images: np.ndarray | None) -> bytes:
    """A TFLite model with the signature `images`, float32 in and out.

    All three know the names of the classes: they give `classes` and `probabilities` as the
    SavedModel does.

    Args:
      saved_model: its folder.
      kind: 'tflite'; 'tflite_dynamic', whose weights are int8; or 'tflite_int8', which computes in
        int8, too.
      images: float32 [images, size, size, 3] for the ranges of int8.

    Raises:
      MismatchError: the model holds something that TFLite has not.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=[IMAGES])
    if kind in QUANTIZED:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if images is not None and kind == INT8:
        converter.representative_dataset = lambda: ([image[None]] for image in images)
    try:
        with _converter_is_quiet():
            return bytes(converter.convert())
    # The converter raises about anything; its first line says most.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise MismatchError(f'{kind}: the model cannot be converted ({reason})') from error


def representative_images(experiment: Experiment) -> np.ndarray:
    """Training images in a random order, not augmented: float32 [images, size, size, 3].

    Raises:
      ConfigError: there are no training data.
    """
    plain = experiment.unaugmented(DRAWN_FROM)
    read: list[np.ndarray] = []
    batches = in_session(plain, model_input(experiment))
    while sum(map(len, read)) < REPRESENTATIVE:
        read.append(next(batches))
    return np.concatenate(read)[:REPRESENTATIVE]


def try_tflite(path: str, kind: str, trial: Trial) -> Parity:
    """Runs a TFLite model as a phone would: one image at a time."""
    interpreter = tf.lite.Interpreter(model_path=path)
    runner = interpreter.get_signature_runner(IMAGES)

    def ask(images: np.ndarray) -> Answers:
        said = runner(**{IMAGES: images})
        return said[OUTPUTS[0]], said[OUTPUTS[1]]

    batches = [image[None] for image in trial.images]
    return try_answers(kind, trial, ask, batches, os.path.getsize(path))


@contextlib.contextmanager
def _converter_is_quiet() -> Iterator[None]:
    """Keeps the converter, which prints tables of its own, from the screen."""
    if is_verbose():
        yield
        return
    kept = os.dup(2)
    try:
        with tempfile.TemporaryFile() as sink:
            os.dup2(sink.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
