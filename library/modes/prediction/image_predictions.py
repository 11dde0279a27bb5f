"""Predict images batch by batch: the next ones are prepared while the model looks at some.

An image is prepared by the conversion's own code, with the numbers of the run's data set, and
decoded by the evaluation's own links: what the model gets is what it was trained on.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from library.modes.prediction.found_images import FoundImage
from library.modes.serving.predictor import Predictor
from library.preparation.encoding_options import EncodingOptions
from library.preparation.formats import EXTRA_FORMATS, FORMATS, RejectedImage, one_line
from library.preparation.workers import Outcome, prepare
from library.records.listing import Content

# Images of each thread that are prepared beside the batch that the model looks at; a batch of
# them, if that is more: the next one has to be ready when this one is done.
AHEAD = 4


class Prediction(NamedTuple):
    """Of one image: (class name, probability) of the most probable classes, or an error."""

    file: str
    classes: tuple[tuple[str, np.float32], ...]
    error: str = ''


def encoding_options_of(
    max_edge: int | None,
    quality: int | None,
    pictures: str | None = None,
    max_pixels: int | None = None,
) -> EncodingOptions:
    """Say how images are prepared for a model whose training images were stored so.

    More formats are accepted than a conversion takes unasked.

    Args:
      max_edge, quality, pictures, max_pixels: as `EncodingOptions.of_stored` takes them.
    """
    encoding = EncodingOptions.of_stored(max_edge, quality, pictures, max_pixels)
    return dataclasses.replace(encoding, formats=(*FORMATS, *EXTRA_FORMATS))


def predict_all(
    images: Iterator[FoundImage],
    model: Predictor,
    encoding: EncodingOptions,
    *,
    top_k: int,
    batch_size: int,
    threads: int,
) -> Iterator[list[Prediction]]:
    """Yield the predictions to each batch of images, in order.

    Args:
      images: any number; in memory are those of one batch, and of another one or AHEAD for each
        thread.
      model: is asked about the images that can be read.
      encoding: how they are prepared.
      top_k: how many classes are named.
      batch_size: images in a batch.
      threads: that prepare images.

    Raises:
      OSError: this machine cannot open more files, or has no memory left.
    """
    waiting: collections.deque[tuple[str, Future[Outcome]]] = collections.deque()
    pool = ThreadPoolExecutor(threads)

    def submit(count: int) -> None:
        for file, content in islice(images, count):
            waiting.append((file, pool.submit(_prepared, content, encoding)))

    try:
        submit(max(batch_size, AHEAD * threads))
        while waiting:
            outcomes: list[tuple[str, Outcome]] = []
            while waiting and len(outcomes) < batch_size:
                file, future = waiting.popleft()
                outcomes.append((file, future.result()))
                submit(1)
            yield _predictions(outcomes, model, top_k)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _prepared(content: Content, encoding: EncodingOptions) -> Outcome:
    """Prepare an image; a remote file that TensorFlow cannot read is rejected too."""
    try:
        return prepare(content, encoding)
    except tf.errors.OpError as error:
        return RejectedImage(one_line(error.message))


def _predictions(
    outcomes: Sequence[tuple[str, Outcome]], model: Predictor, top_k: int
) -> list[Prediction]:
    images = [each.jpeg for _, each in outcomes if not isinstance(each, RejectedImage)]
    results = iter(_asked(images, model))
    predictions = []
    for file, outcome in outcomes:
        found = outcome if isinstance(outcome, RejectedImage) else next(results)
        if isinstance(found, Exception):
            predictions.append(Prediction(file, (), str(found)))
        else:
            predictions.append(_named(file, *found, top_k))
    return predictions


def _asked(
    images: Sequence[bytes], model: Predictor
) -> list[tuple[np.ndarray, np.ndarray] | RejectedImage]:
    """Ask for classes and probabilities of each image, or why TensorFlow refuses it."""
    if not images:
        return []
    try:
        return list(zip(*model.predict(images), strict=True))
    except tf.errors.InvalidArgumentError as error:
        # One image spoils a batch: the others are asked about again, each alone.
        if len(images) > 1:
            return [each for image in images for each in _asked([image], model)]
        return [RejectedImage(f'refused by TensorFlow ({one_line(error.message)})')]


def _named(file: str, classes: np.ndarray, probabilities: np.ndarray, top_k: int) -> Prediction:
    if not np.isfinite(probabilities).all():
        return Prediction(file, (), 'the model gives no finite numbers')
    names = (name.decode('utf-8', 'surrogateescape') for name in classes[:top_k])
    return Prediction(file, tuple(zip(names, probabilities[:top_k], strict=True)))
