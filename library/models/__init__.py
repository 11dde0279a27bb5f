"""Batches to logits, loss and metrics: what a model is, and what every classifier shares."""
