"""Tests of library/pages."""
