"""Data sets as people keep them, to a list of labelled image files."""
