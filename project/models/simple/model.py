"""Convolutions that halve the image until little is left, then a mean over what is left."""

from __future__ import annotations

import tensorflow as tf

from library.models.head import add_head
from library.models.model import Model

# Channels of the convolutions; each halves height and width.
CHANNELS = (16, 32, 64, 128)


class SimpleModel(Model):
    """Four convolutions of stride 2, a global average, and the head."""

    def build(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        """Adds the network; see Model.build."""
        layers = []
        with tf.compat.v1.variable_scope('trunk'):
            features = images
            for index, channels in enumerate(CHANNELS):
                layers.append(
                    tf.keras.layers.Conv2D(
                        channels,
                        kernel_size=3,
                        strides=2,
                        padding='same',
                        activation='relu',
                        kernel_initializer=tf.keras.initializers.HeNormal(self.random_seed + index),
                        name=f'conv{index}',
                    )
                )
                features = layers[-1](features)
            features = tf.reduce_mean(features, axis=[1, 2])
        self.own(layers)
        return add_head(self, features, training, self.options.dropout_rate)
