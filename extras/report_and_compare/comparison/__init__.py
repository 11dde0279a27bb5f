"""Compare folders of runs: what each reached, and in which options they differ."""
