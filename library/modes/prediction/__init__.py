"""What a person names on the command line, to images, to answers, to rows of a file."""
