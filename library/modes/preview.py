"""Draw training images as the model sees them, augmented, with the names of their classes."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from library import files
from library.console import log
from library.inputs.in_session import in_session
from library.modes.options import PreviewOptions
from library.pages.png import png_of
from library.pages.short_text import short_name
from library.runtime.experiment import Experiment

# Of one image in the picture: about one point to a pixel at 224.
INCHES = 1.6


def run(experiment: Experiment) -> int:
    """Draw the first training images that the run would see next; return the exit code."""
    options = experiment.hparams.take(PreviewOptions)
    shown = _first(experiment, options.preview_images)
    names = [experiment.run.class_names[label] for _, label in shown]
    picture = draw_grid([image for image, _ in shown], names)
    files.make_folder(os.path.dirname(options.preview_file) or '.')
    files.write_atomically(options.preview_file, picture)
    size = f'{shown[0][0].shape[1]}x{shown[0][0].shape[0]}'
    log(f'{len(shown)} training images of {size} pixels: {options.preview_file}')
    return 0


def draw_grid(images: Sequence[np.ndarray], names: Sequence[str]) -> bytes:
    """Draw a PNG with all images, each under its name.

    Args:
      images: uint8 [height, width, 3] each.
      names: of their classes.
    """
    # Wider than high, as screens are.
    columns = min(10, len(images), math.ceil(math.sqrt(1.6 * len(images))))
    rows = math.ceil(len(images) / columns)
    figure = Figure(figsize=(columns * INCHES, rows * (INCHES + 0.25)), layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for each in axes:
        each.axis('off')
    for each, image, name in zip(axes, images, names, strict=False):
        each.imshow(image)
        # A dollar sign would start a formula.
        each.set_title(short_name(name), fontsize=8, parse_math=False)
    return png_of(figure)


def _first(experiment: Experiment, count: int) -> list[tuple[np.ndarray, np.int64]]:
    """Take the first images of the training batches, with their labels."""
    shown: list[tuple[np.ndarray, np.int64]] = []
    batches = in_session(experiment.batches(tf.estimator.ModeKeys.TRAIN))
    while len(shown) < count:
        features, labels = next(batches)
        shown += zip(features['image'], labels, strict=True)
    return shown[:count]
