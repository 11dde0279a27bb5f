"""The options of the model `hub`."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import HYPERPARAMETERS, Options, option

# Small, and in the TF2 format, so it can be fine-tuned.
DEFAULT_MODULE = 'https://tfhub.dev/google/imagenet/mobilenet_v2_035_224/feature_vector/5'


@dataclass(frozen=True)
class HubOptions(Options, group='model', home=HYPERPARAMETERS):
    """Which module, and what is put on top of it."""

    module: str = option(
        DEFAULT_MODULE,
        'TF-Hub module that gives feature vectors: a folder, a .tar.gz or an address.',
        kept_with_run=True,
    )
    module_sha256: str | None = option(
        None, 'Digest that a .tar.gz module must have.', kept_with_run=True
    )
    module_cache_dir: str | None = option(
        None, 'Where modules are kept; none: $TFHUB_CACHE_DIR, else ~/.cache/tfhub_modules.'
    )
    image_size: int | None = option(
        None,
        "Edge of the model's input; none: the module's own, else 224.",
        unit='pixels',
        low=8,
        high=4096,
        kept_with_run=True,
    )
    fine_tuning: bool = option(
        False, 'Train the module too; else only the head learns.', kept_with_run=True
    )
    dropout_rate: float = option(
        0.5, 'Share of features that are dropped while training.', low=0, below=1
    )
    hidden_units: int = option(
        0,
        'Width of a hidden layer before the last; 0: none.',
        low=0,
        kept_with_run=True,
    )
