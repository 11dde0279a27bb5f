"""A run and its evaluation to one page that needs nothing beside it."""
