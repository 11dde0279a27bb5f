"""Make one self-contained page of a run and its evaluation."""
