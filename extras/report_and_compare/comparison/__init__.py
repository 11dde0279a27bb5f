"""Folders of runs to a table: what each reached, and in which options they differ."""
