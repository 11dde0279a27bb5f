"""Tests of extras/beam."""
