"""Find, check, name, write and copy the checkpoints of a run."""
