"""Compare speeds on this machine with what the same machine could reach, measured in turns."""
