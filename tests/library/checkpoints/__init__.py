"""Tests of library/checkpoints."""
