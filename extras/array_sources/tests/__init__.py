"""Tests of extras/array_sources."""
