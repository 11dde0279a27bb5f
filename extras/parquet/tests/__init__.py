"""Tests of extras/parquet."""
