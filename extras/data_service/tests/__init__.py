"""Tests of extras/data_service."""
