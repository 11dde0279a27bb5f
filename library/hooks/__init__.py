"""Watch a session: hooks for progress, signals, and what must not go unnoticed."""
