"""Make TFLite models of a SavedModel, for phones and small computers."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from library import files
from library.errors import MismatchError
from library.inputs.in_session import in_session
from library.modes.exporting.parity import Parity, Predictions, compare_predictions
from library.modes.exporting.parity_check import ParityCheck, model_input
from library.modes.exporting.saved_model import IMAGES
from library.modes.serving.graph import ServingGraph
from library.modes.serving.saved import OUTPUTS
from library.runtime.environment import is_verbose
from library.runtime.experiment import Experiment

FOLDER = 'tflite'
# Training images by which the ranges of the numbers in a network are found; TensorFlow's guide asks
# for 100 to 500.
REPRESENTATIVE = 100
# They are drawn from this many training images, without reading all of a large data set.
DRAWN_FROM = 2000


@dataclass(frozen=True)
class TFLite:
    """Export a TFLite model with the signature `images`, float32 in and out.

    It knows the names of the classes: it gives `classes` and `probabilities` as a SavedModel does.

    Attributes:
      name: of the format.
      file: what the model is called.
      is_quantized: whether its weights are int8.
      in_int8: whether it computes in int8, too.
    """

    name: str
    file: str
    is_quantized: bool = False
    in_int8: bool = False

    def check(self, experiment: Experiment) -> None:
        """Accept every model: only the converter knows better."""

    def write(
        self, experiment: Experiment, serving: ServingGraph, check: ParityCheck, folder: str
    ) -> Parity:
        """Convert the SavedModel in a version's folder, and compare; see ExportFormat."""
        path = os.path.join(folder, FOLDER, self.file)
        files.make_folder(os.path.dirname(path))
        files.write_atomically(path, self._convert(experiment, folder))
        return compare_tflite(path, self.name, check)

    def _convert(self, experiment: Experiment, saved_model: str) -> bytes:
        """Convert the model; raise MismatchError for what TFLite does not have."""
        converter = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=[IMAGES])
        if self.is_quantized:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if self.in_int8:
            images = representative_images(experiment)
            converter.representative_dataset = lambda: ([image[None]] for image in images)
        try:
            with _converter_is_quiet():
                return bytes(converter.convert())
        # The converter raises almost anything; its first line says most.
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            text = f'{self.name}: the model cannot be converted ({reason})'
            raise MismatchError(text) from error


FLOAT = TFLite('tflite', 'float.tflite')
DYNAMIC = TFLite('tflite_dynamic', 'dynamic.tflite', is_quantized=True)
INT8 = TFLite('tflite_int8', 'int8.tflite', is_quantized=True, in_int8=True)


def representative_images(experiment: Experiment) -> np.ndarray:
    """Draw training images at random, not augmented: float32 [images, size, size, 3].

    Raises:
      ConfigError: there are no training data.
    """
    plain = experiment.unaugmented(DRAWN_FROM)
    read: list[np.ndarray] = []
    batches = in_session(plain, model_input(experiment))
    while sum(map(len, read)) < REPRESENTATIVE:
        read.append(next(batches))
    return np.concatenate(read)[:REPRESENTATIVE]


def compare_tflite(path: str, name: str, check: ParityCheck) -> Parity:
    """Run a TFLite model as a phone would: one image at a time."""
    interpreter = tf.lite.Interpreter(model_path=path)
    runner = interpreter.get_signature_runner(IMAGES)

    def ask(images: np.ndarray) -> Predictions:
        outputs = runner(**{IMAGES: images})
        return outputs[OUTPUTS[0]], outputs[OUTPUTS[1]]

    batches = [image[None] for image in check.images]
    return compare_predictions(name, check, ask, batches, os.path.getsize(path))


@contextlib.contextmanager
def _converter_is_quiet() -> Iterator[None]:
    """Keep the converter's own tables off the screen."""
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
