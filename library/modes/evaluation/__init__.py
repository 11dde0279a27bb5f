"""Judge predictions: metrics, tables, plots and gates of one evaluation."""
