"""Keep what an evaluation found: the best checkpoints, and the record of all evaluations."""
