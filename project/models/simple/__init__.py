"""A small convolutional network, trained from nothing."""
