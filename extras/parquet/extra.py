"""Declare the source parquet. Imports no TensorFlow."""

from __future__ import annotations

from library.extras import Extra

EXTRA = Extra(name='parquet', sources={'parquet': 'extras.parquet.files:Parquet'})
