"""Find what a person names on the command line, predict it, and write the predictions down."""
