"""Find photos and a module to train on: the given ones, or stand-ins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.photos import CLASSES, TURNS, draw_folder
from library.errors import ConfigError

# The usual longest edge of converted photos: drawn at this size, they need no shrinking.
WIDTH, HEIGHT = 384, 288
# Drawn photos of one class have nothing in common but a tint, which is all there is to learn.
TINTS = ((200, 60, 60), (60, 200, 60), (60, 60, 200), (200, 200, 60))
TINT = 0.1
# Every fifth drawing is for the test.
TEST_EVERY = 5
# Channels of the module's convolutions; each halves height and width.
CHANNELS = (16, 32, 64, 128)


@dataclass(frozen=True)
class Inputs:
    """What is trained on.

    Attributes:
      photos: folder with train/ and test/, a folder per class in each.
      module: folder of a TF-Hub module.
      image_size: pixels that the module takes.
      described: one line that describes both.
    """

    photos: Path
    module: str
    image_size: int
    described: str


def find_inputs(
    photos: Path | None, images: int, module: str | None, image_size: int, folder: Path
) -> Inputs:
    """Return what was given, and make the rest in FOLDER.

    Args:
      photos: folder with train/ and test/; None: photos are drawn.
      images: how many to draw.
      module: that takes images; None: a small one is made.
      image_size: pixels, for a module that takes any size.
      folder: where to make things.

    Raises:
      ConfigError: the photos are not in train/ and test/.
    """
    from library.models.module_cache import fetch_module
    from library.models.module_loading import inspect_module

    if photos is None:
        photos, described = folder / 'photos', f'{images} drawn photos'
        draw_splits(photos, images)
    else:
        # The programs that are measured start in the project's folder.
        photos = photos.resolve()
        described = f'photos: {photos.name}'
        for split in ('train', 'test'):
            if not (photos / split).is_dir():
                raise ConfigError(f'{photos / split}: no such folder (--photos)')
    if module is None:
        local = str(folder / 'module')
        make_module(Path(local), image_size)
        described += '; a made-up module (4 convolutions of random weights)'
    else:
        local = fetch_module(module)
        described += f'; module: {Path(module).name}'
    image_size = inspect_module(local).image_size or image_size
    return Inputs(photos, str(Path(local).resolve()), image_size, f'{described}, {image_size} px')


def draw_splits(folder: Path, photos: int) -> None:
    """Write FOLDER/{train,test}/CLASS/NUMBER.jpg, four fifths for training.

    The turned copies of a drawing stay on one side.
    """
    draw_folder(folder / 'all', photos, WIDTH, HEIGHT)
    for label in range(CLASSES):
        tint = Image.new('RGB', (WIDTH, HEIGHT), TINTS[label % len(TINTS)])
        for path in (folder / 'all' / f'class_{label}').iterdir():
            is_test = int(path.stem) // len(TURNS) % TEST_EVERY == 0
            target = folder / ('test' if is_test else 'train') / f'class_{label}' / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with Image.open(path) as photo:
                Image.blend(photo, tint, TINT).save(target, quality=90)
            path.unlink()
        (folder / 'all' / f'class_{label}').rmdir()
    (folder / 'all').rmdir()


def make_module(folder: Path, image_size: int) -> None:
    """Save a TF2 module of random weights: [batch, image_size, image_size, 3] to [batch, 128]."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    network = tf.keras.Sequential(
        [
            layers.InputLayer((image_size, image_size, 3)),
            *(layers.Conv2D(n, 3, 2, padding='same', activation='relu') for n in CHANNELS),
            layers.GlobalAveragePooling2D(),
        ]
    )
    # A saved Keras model already is a TF-Hub module.
    tf.saved_model.save(network, str(folder))
