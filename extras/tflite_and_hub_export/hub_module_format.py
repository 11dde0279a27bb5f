"""Save the trained network without its head as a TF-Hub module for another run's `--module`."""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from library import files
from library.errors import ConfigError, MismatchError
from library.models.model import Model
from library.models.module_loading import inspect_module, load_module
from library.modes.exporting.parity import Parity, timed
from library.modes.exporting.parity_check import ParityCheck, parts
from library.modes.serving.graph import GLOBAL, ServingGraph
from library.runtime.experiment import Experiment

FORMAT = FOLDER = 'hub_module'


class HubModuleFormat:
    """The module with the weights that are served: the averages, where the run keeps them."""

    is_quantized = False

    def check(self, experiment: Experiment) -> None:
        """Raise ConfigError for a model that does not say how its backbone is saved."""
        model = experiment.model_class.of_run(experiment.hparams, experiment.run)
        if type(model).save_backbone is Model.save_backbone:
            raise ConfigError(
                f'{experiment.hparams.place("export_formats")} {FORMAT}: the model '
                f'{experiment.hparams.model} needs a method save_backbone for that '
                f'({type(model).__module__}; see library/models/model.py)'
            )

    def write(
        self, experiment: Experiment, serving: ServingGraph, check: ParityCheck, folder: str
    ) -> Parity:
        """Save the module in a version's folder, and compare features; see ExportFormat."""
        path = os.path.join(folder, FOLDER)
        hparams = experiment.hparams
        model = experiment.model_class.of_run(hparams, experiment.run)
        model.save_backbone(path, hparams.image_size, trained_weights(serving))
        return compare_hub_module(path, check, files.size_below(path))


HUB_MODULE = HubModuleFormat()


def trained_weights(serving: ServingGraph) -> dict[str, np.ndarray]:
    """Map the name of every variable of the graph to its value: the averages, where kept."""
    variables = {v.op.name: v for v in serving.graph.get_collection(GLOBAL)}
    with serving.graph.as_default():
        return serving.session.run(variables) if variables else {}


def compare_hub_module(path: str, check: ParityCheck, size: int) -> Parity:
    """Load the module as another run would, and compare features.

    Raises:
      MismatchError: it cannot be a module of this project, or the model gives no features.
    """
    if check.features is None:
        raise MismatchError(f'{FORMAT}: the model gives no features (Model.features)')
    inspect_module(path)
    module = load_module(path, trainable=False)

    def ask(images: np.ndarray) -> np.ndarray:
        return module(tf.constant(images), training=False).numpy()

    outputs, rate = timed(ask, list(parts(check.images)))
    features = np.concatenate(outputs)
    # Features have no range of their own.
    scale = max(1.0, float(np.max(np.abs(check.features))))
    fits = features.shape == check.features.shape
    largest = float(np.max(np.abs(features - check.features))) / scale if fits else np.inf
    return Parity(FORMAT, largest, None, rate, size)
