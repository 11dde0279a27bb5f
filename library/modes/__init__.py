"""Estimator to a run: each mode is one file with run(experiment)."""
