"""Speed on this machine beside what the same machine could do, measured in turns."""
