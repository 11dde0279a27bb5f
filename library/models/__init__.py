"""Turn batches into logits, loss and metrics: what a model is, and what all classifiers share."""
