"""Train on an embedded default: scikit-learn's digits and a small TF-Hub module."""
