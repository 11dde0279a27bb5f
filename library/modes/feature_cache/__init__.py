"""Images to the features that a frozen module gives them, computed once and kept."""
