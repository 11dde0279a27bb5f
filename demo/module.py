"""Make a small TF-Hub module: a network trained on the digits 0 to 4.

The run then trains a head on all ten digits over its features, as one does with a module that
was trained on ImageNet.
"""

from __future__ import annotations

import glob
import os

import numpy as np
import tensorflow as tf
from PIL import Image

from demo.digits import SIZE

KNOWN_DIGITS = 5
EPOCHS = 12


def make_module(digits_dir: str, module_dir: str) -> None:
    """Train the network on the known digits of DIGITS_DIR/train and save it as a TF2 module.

    The module takes float32 [batch, 32, 32, 3] in [0, 1] and gives float32 [batch, 1024].
    """
    tf.keras.utils.set_random_seed(0)
    images, labels = _read(os.path.join(digits_dir, 'train'))
    layers = tf.keras.layers
    backbone = tf.keras.Sequential(
        [
            layers.InputLayer((SIZE, SIZE, 3)),
            layers.Conv2D(32, 3, strides=2, padding='same', activation='relu'),
            layers.Conv2D(64, 3, strides=2, padding='same', activation='relu'),
            layers.Conv2D(64, 3, strides=2, padding='same', activation='relu'),
            layers.Flatten(),
        ]
    )
    network = tf.keras.Sequential([backbone, layers.Dropout(0.3), layers.Dense(KNOWN_DIGITS)])
    network.compile('adam', tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(images, labels, batch_size=32, epochs=EPOCHS, verbose=0)
    # A saved Keras model already is a TF-Hub module: callable, with variables and `training`.
    tf.saved_model.save(backbone, module_dir)


def _read(folder: str) -> tuple[np.ndarray, np.ndarray]:
    """Read images float32 [count, 32, 32, 3] in [0, 1] and labels of the known digits."""
    images, labels = [], []
    for label in range(KNOWN_DIGITS):
        for path in sorted(glob.glob(os.path.join(folder, str(label), '*.jpg'))):
            images.append(np.asarray(Image.open(path), np.float32) / 255)
            labels.append(label)
    return np.stack(images), np.array(labels)
