"""Predictions to judgements: metrics, tables, pictures and gates of one evaluation."""
