"""A pretrained TF-Hub module with a new head."""
