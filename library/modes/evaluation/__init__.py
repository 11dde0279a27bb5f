"""Predictions to judgements: metrics, tables, plots and gates of one evaluation."""
