"""Compute the features that a frozen module gives images once, and keep them."""
