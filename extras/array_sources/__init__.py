"""Read data sets whose images are arrays of pixels: CIFAR-10 and -100, and IDX files as MNIST's."""
