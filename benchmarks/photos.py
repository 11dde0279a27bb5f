"""Draw pictures that cost a JPEG codec as much as photographs do, from a seed.

The detail of a photograph gets weaker as it gets finer: here octaves of noise, each twice as fine
as the last and weaker, over a gradient, with some hard edges and grain on top. Shrunk to 384 x 288
at quality 80 a picture takes about 24 kB; photographs take 15 to 26.
"""

from __future__ import annotations

import functools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from library.cores import count_cores

CLASSES = 4
# Turning and mirroring a picture gives others, which cost as much to decode and nothing to draw.
TURNS = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_180,
)
COARSEST = 4  # cells across
PERSISTENCE = 0.78  # how much of an octave's strength the next finer one keeps
GRAIN = 3.0
SHAPES = 12


def draw_folder(folder: Path, photos: int, width: int = 640, height: int = 480) -> None:
    """Write FOLDER/CLASS/NUMBER.jpg, as convert_dataset.py reads them, on all cores."""
    for label in range(CLASSES):
        (folder / f'class_{label}').mkdir(parents=True, exist_ok=True)
    draw = functools.partial(_draw_turned, folder, photos, width, height)
    firsts = range(0, photos, len(TURNS))
    # Spawned: a fork would share TensorFlow's threads, if TensorFlow is there.
    with ProcessPoolExecutor(
        count_cores(), mp_context=multiprocessing.get_context('spawn')
    ) as pool:
        list(pool.map(draw, firsts, chunksize=8))


def draw_photo(number: int, width: int, height: int) -> Image.Image:
    """Draw the same picture for the same number and size."""
    random = np.random.default_rng(number)
    # Things differ less in colour than in light.
    light = _octaves(random, width, height, channels=1)
    color = _octaves(random, width, height, channels=3)
    slope = np.linspace(-40, 40, height)[:, np.newaxis, np.newaxis]
    image = _to_image(random.uniform(70, 180, 3) + slope + 95 * light + 30 * color)
    _draw_shapes(random, image)
    return _to_image(np.asarray(image) + random.normal(0, GRAIN, (height, width, 1)))


def _draw_turned(folder: Path, photos: int, width: int, height: int, first: int) -> None:
    image = draw_photo(first, width, height)
    for number, turn in zip(range(first, photos), TURNS, strict=False):
        turned = image if turn is None else image.transpose(turn)
        turned.save(folder / f'class_{number % CLASSES}' / f'{number:05d}.jpg', quality=90)


def _octaves(random: np.random.Generator, width: int, height: int, channels: int) -> np.ndarray:
    """Draw noise at every scale: float32 [height, width, channels], about -1 to 1."""
    total = np.zeros((height, width, channels), np.float32)
    cells, strength = COARSEST, 0.4
    while cells <= width // 2:
        shape = (max(2, cells * height // width), cells)
        for channel in range(channels):
            noise = Image.fromarray(random.normal(0, 1, shape).astype(np.float32))
            smooth = noise.resize((width, height), Image.Resampling.BICUBIC)
            total[..., channel] += strength * np.asarray(smooth)
        cells, strength = cells * 2, strength * PERSISTENCE
    return total


def _draw_shapes(random: np.random.Generator, image: Image.Image) -> None:
    draw = ImageDraw.Draw(image, 'RGBA')
    for _ in range(SHAPES):
        left, top = random.uniform(-0.1, 0.9, 2) * image.size
        right, bottom = (left, top) + random.uniform(0.05, 0.4, 2) * image.size
        color = (*random.integers(0, 256, 3).tolist(), 110)
        draw_shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        draw_shape((left, top, right, bottom), fill=color)


def _to_image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
