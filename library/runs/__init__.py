"""Manage the directory of a run: lock, metadata, the values that it keeps."""
