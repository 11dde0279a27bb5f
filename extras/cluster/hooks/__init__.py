"""Hooks of training sessions that work together."""
