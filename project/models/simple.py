"""Train a small convolutional network from nothing."""

from __future__ import annotations

from collections.abc import Mapping

from etils import epy

from library.models.head import add_head
from library.models.model import Model

with epy.lazy_imports():
    import numpy as np
    import tensorflow as tf

# Channels of the convolutions; each halves height and width.
CHANNELS = (16, 32, 64, 128)
# The backbone's scope: a part of every checkpoint's names of variables, so it stays as it is.
SCOPE = 'trunk'


class SimpleModel(Model):
    """Four convolutions of stride 2, a global average, and the head; only the shared options."""

    def build(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        """Add the network; see Model.build."""
        with tf.compat.v1.variable_scope(SCOPE):
            layers = self._convolutions()
            self.features = _through(layers, images)
        self.own(layers)
        return add_head(self, self.features, training, self.options.dropout_rate)

    def save_backbone(
        self, folder: str, image_size: int, weights: Mapping[str, np.ndarray]
    ) -> None:
        """Write the convolutions and the average; see Model.save_backbone."""
        layers = self._convolutions()
        images = tf.keras.Input([image_size, image_size, 3])
        network = tf.keras.Model(images, _through(layers, images))
        for layer in layers:
            of = f'{SCOPE}/{layer.name}'
            layer.set_weights([weights[f'{of}/kernel'], weights[f'{of}/bias']])
        tf.saved_model.save(network, folder)

    def _convolutions(self) -> list[tf.keras.layers.Layer]:
        return [
            tf.keras.layers.Conv2D(
                channels,
                kernel_size=3,
                strides=2,
                padding='same',
                activation='relu',
                kernel_initializer=tf.keras.initializers.HeNormal(self.random_seed + index),
                name=f'conv{index}',
            )
            for index, channels in enumerate(CHANNELS)
        ]


def _through(layers: list[tf.keras.layers.Layer], images: tf.Tensor) -> tf.Tensor:
    """Give features float32 [batch, depth] of images, through the layers and the average."""
    for layer in layers:
        images = layer(images)
    return tf.reduce_mean(images, axis=[1, 2])
