"""Hold what a clone may delete: one folder for each optional part."""
