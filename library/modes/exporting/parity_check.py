"""Ask the checkpoint about images of the evaluation: its predictions are what exports must give.

The pixels are those of the evaluation's own chain, and the session is that of the checkpoint. An
export gets the files instead, or these pixels, and has to say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from library.inputs.in_session import in_session
from library.inputs.stored_files import stored_files
from library.inputs.synthetic import SyntheticImages
from library.modes.serving.graph import ServingGraph
from library.records.ranges import to_ranges
from library.runtime.experiment import Experiment

# The images are taken from so many places of a split, which may be sorted by class.
PLACES = 8
# Images that go through a network at once.
AT_ONCE = 32


@dataclass(frozen=True)
class Sample:
    """Images of the evaluation.

    Attributes:
      files: their JPEGs as they are stored; [] for noise, which has none.
      images: float32 [images, size, size, 3], what the model's `build` takes.
    """

    files: list[bytes]
    images: np.ndarray


@dataclass(frozen=True)
class ParityCheck(Sample):
    """Images, and what the checkpoint says about them.

    Attributes:
      probabilities: float32 [images, classes], in the order of labels.
      features: float32 [images, depth]; None where the model tells none.
      class_names: bytes, in the order of labels.
    """

    probabilities: np.ndarray
    features: np.ndarray | None
    class_names: list[bytes]


def take_sample(experiment: Experiment, count: int) -> Sample:
    """Take images from all over the evaluation split; all of them if there are fewer."""
    numbers = spread(experiment.eval_data.examples, count)
    stored = stored_files(experiment.eval_data, numbers)
    return Sample([encoded for _, _, encoded in stored], _images(experiment, numbers))


def make_parity_check(experiment: Experiment, serving: ServingGraph, sample: Sample) -> ParityCheck:
    """Ask the checkpoint about the images of a sample.

    Args:
      experiment: a run.
      serving: its checkpoint.
      sample: of the run's images.
    """
    wanted = {'probabilities': serving.by_label}
    if serving.features is not None:
        wanted['features'] = serving.features
    outputs = [serving.session.run(wanted, {serving.images: part}) for part in parts(sample.images)]
    names = [name.encode('utf-8', 'surrogateescape') for name in experiment.run.class_names]
    return ParityCheck(
        sample.files,
        sample.images,
        np.concatenate([each['probabilities'] for each in outputs]),
        np.concatenate([each['features'] for each in outputs]) if 'features' in wanted else None,
        names,
    )


def spread(examples: int, count: int) -> list[int]:
    """Choose numbers of images, in groups that are spread evenly over a split.

    Args:
      examples: of the split.
      count: how many are wanted.
    """
    if examples <= count:
        return list(range(examples))
    places = min(PLACES, count)
    each, more = divmod(count, places)
    numbers = (
        examples * place // places + number
        for place in range(places)
        for number in range(each + (place < more))
    )
    return sorted(numbers)


def parts(images: Any) -> Iterator[Any]:
    """Divide images, an array or a list, into batches."""
    for first in range(0, len(images), AT_ONCE):
        yield images[first : first + AT_ONCE]


def _images(experiment: Experiment, numbers: list[int]) -> np.ndarray:
    """Make of these images of the evaluation what `build` takes."""

    def chain(first: int, count: int) -> tf.data.Dataset:
        if isinstance(experiment.eval_data, SyntheticImages):
            dataset = experiment.batches(tf.estimator.ModeKeys.EVAL)()
        else:
            dataset = experiment.stored_images(training=False, first=first, batch_size=count)
        return dataset.unbatch().take(count).batch(count)

    to_input = model_input(experiment)
    batches = (next(in_session(partial(chain, *each), to_input)) for each in to_ranges(numbers))
    return np.concatenate(list(batches))


def model_input(experiment: Experiment) -> Callable[..., tf.Tensor]:
    """Give what makes of a batch, {'image': uint8} and labels, what the model's `build` takes."""

    def preprocessed(features: dict[str, tf.Tensor], labels: tf.Tensor) -> tf.Tensor:
        del labels
        model = experiment.model_class.of_run(experiment.hparams, experiment.run)
        return model.preprocess(features['image'], training=False)

    return preprocessed
