"""Find what the pixels of a file mean: colours, depths, bands, and the formats of phones."""
