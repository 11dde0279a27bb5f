"""Run what run.py does: each mode is one file with run(experiment)."""
