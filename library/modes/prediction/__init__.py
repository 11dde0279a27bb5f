"""What a person names on the command line, to images, to predictions, to rows of a file."""
