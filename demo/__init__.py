"""The embedded default: scikit-learn's digits, a small TF-Hub module, and a run on them."""
