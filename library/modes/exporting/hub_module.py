"""The trained network without its head, to a TF-Hub module for another run's `--module`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from library.errors import ConfigError, MismatchError
from library.models.hub_module import inspect_module, load_module
from library.models.model import Model
from library.modes.exporting.parity import Parity, timed
from library.modes.exporting.trial import Trial, parts
from library.modes.serving.graph import GLOBAL, ServingGraph
from library.runtime.experiment import Experiment

FORMAT = FOLDER = 'hub_module'


def check_can_save(experiment: Experiment) -> None:
    """Raises ConfigError for a model that does not say how its trunk is saved."""
    model = experiment.model_class.of_run(experiment.hparams, experiment.run)
    if type(model).save_trunk is Model.save_trunk:
        raise ConfigError(
            f'{experiment.hparams.place("export_formats")} {FORMAT}: the model '
            f'{experiment.hparams.model} needs a method save_trunk for that '
            f'({type(model).__module__}; library/models/model.py tells what it does)'
        )


def write_hub_module(experiment: Experiment, weights: Mapping[str, np.ndarray], path: str) -> None:
    """Writes the module, with the weights that are served.

    Args:
      experiment: a run.
      weights: as `trained_weights` gives them.
      path: of the module's folder.
    """
    model = experiment.model_class.of_run(experiment.hparams, experiment.run)
    model.save_trunk(path, experiment.hparams.image_size, weights)


def trained_weights(serving: ServingGraph) -> dict[str, np.ndarray]:
    """Every variable of the graph by its name: the averages, where the run keeps them."""
    variables = {v.op.name: v for v in serving.graph.get_collection(GLOBAL)}
    with serving.graph.as_default():
        return serving.session.run(variables) if variables else {}


def try_hub_module(path: str, trial: Trial, size: int) -> Parity:
    """Loads the module as another run would, and compares features.

    Raises:
      MismatchError: it cannot be a module of this project, or the model tells no features.
    """
    if trial.features is None:
        raise MismatchError(f'{FORMAT}: the model tells no features (Model.features)')
    inspect_module(path)
    module = load_module(path, trainable=False)

    def ask(images: np.ndarray) -> np.ndarray:
        return module(tf.constant(images), training=False).numpy()

    said, rate = timed(ask, list(parts(trial.images)))
    features = np.concatenate(said)
    # Features have no range of their own.
    scale = max(1.0, float(np.max(np.abs(trial.features))))
    fits = features.shape == trial.features.shape
    largest = float(np.max(np.abs(features - trial.features))) / scale if fits else np.inf
    return Parity(FORMAT, largest, None, rate, size)
