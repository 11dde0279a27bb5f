"""Tests of library/runs."""
