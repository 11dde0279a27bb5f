"""Tests of the hooks of the cluster."""
