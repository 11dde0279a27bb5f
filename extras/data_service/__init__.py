"""Decode and augment training images on other machines, by tf.data service."""
