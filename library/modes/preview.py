"""Draw training images as the model sees them, augmented, with the names of their classes."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from library import files
from library.console import log
from library.inputs.in_session import in_session
from library.inputs.options import ImageOptions
from library.inputs.stored_files import stored_files
from library.inputs.unseen import describe_unseen
from library.modes.options import PreviewOptions
from library.pages.png import png_of
from library.pages.short_text import short_name
from library.preparation.output import CONTACT_SHEET
from library.records.manifest import Manifest
from library.runtime.experiment import Experiment

# Of one image in the picture: about one point to a pixel at 224.
INCHES = 1.6
# Evaluation pictures of which something is cut away: how many are looked at and shown, the longest
# edge in pixels, and what stands above them.
LOOKED_AT, SHOWN_CUT, THUMBNAIL, CUT = 64, 6, 224, 'evaluation sees'


def run(experiment: Experiment) -> int:
    """Draw the first training images that the run would see next; return the exit code."""
    options = experiment.hparams.take(PreviewOptions)
    shown = _first(experiment, options.preview_images)
    names = [experiment.run.class_names[label] for _, label in shown]
    cut_away = describe_unseen(experiment.eval_data, experiment.hparams.take(ImageOptions))
    cut = _most_cut(experiment) if cut_away else []
    images = [image for image, _ in shown]
    picture = draw_grid([*images, *cut], [*names, *[CUT] * len(cut)])
    files.make_folder(os.path.dirname(options.preview_file) or '.')
    files.write_atomically(options.preview_file, picture)
    size = f'{shown[0][0].shape[1]}x{shown[0][0].shape[0]}'
    log(f'{len(shown)} training images of {size} pixels: {options.preview_file}')
    if cut_away:
        log(f'{cut_away}; the last {len(cut)} pictures show it')
    sheet = files.join(experiment.hparams.data_dir, CONTACT_SHEET)
    if isinstance(experiment.train_data, Manifest) and files.exists(sheet):
        log(f'some of what the conversion altered: {sheet}')
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


def _most_cut(experiment: Experiment) -> list[np.ndarray]:
    """Draw some evaluation pictures whole, those most cut, with a line around what is seen."""
    center_crop = experiment.hparams.take(ImageOptions).center_crop
    looked_at = range(min(LOOKED_AT, experiment.eval_data.examples))
    pictures = []
    for _, _, jpeg in stored_files(experiment.eval_data, looked_at):
        picture = Image.open(io.BytesIO(jpeg))
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        pictures.append(picture.convert('RGB'))
    pictures.sort(key=lambda each: min(each.size) / max(each.size))
    for each in pictures[:SHOWN_CUT]:
        edge = min(each.size) * center_crop
        left, top = ((length - edge) / 2 for length in each.size)
        ends = (left + edge - 1, top + edge - 1)
        ImageDraw.Draw(each).rectangle((left, top, *ends), outline=(255, 0, 0), width=3)
    return [np.asarray(each) for each in pictures[:SHOWN_CUT]]


def _first(experiment: Experiment, count: int) -> list[tuple[np.ndarray, np.int64]]:
    """Take the first images of the training batches, with their labels."""
    shown: list[tuple[np.ndarray, np.int64]] = []
    batches = in_session(experiment.batches(tf.estimator.ModeKeys.TRAIN))
    while len(shown) < count:
        features, labels = next(batches)
        shown += zip(features['image'], labels, strict=True)
    return shown[:count]
