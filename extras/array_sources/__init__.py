"""Read data sets stored as pixel arrays: CIFAR-10, CIFAR-100, and IDX files such as MNIST."""
