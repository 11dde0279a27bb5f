"""Watching a session: hooks for progress, checkpoints, signals and what must not go unnoticed."""
