"""Turn a loss into a train_op: optimizers, and the arithmetic of epochs and steps."""
