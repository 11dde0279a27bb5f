"""Loss to train_op: optimizers, and the arithmetic of epochs and steps."""
