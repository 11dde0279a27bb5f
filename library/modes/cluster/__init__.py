"""A run to this process's part in it, where several machines train together."""
