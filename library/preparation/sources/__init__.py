"""Read data sets as people keep them into a list of labelled image files."""
