"""The options of the model `hub`."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import option
from library.models.options import ModelOptions

# Small, and in the TF2 format, so it can be fine-tuned.
DEFAULT_MODULE = 'https://tfhub.dev/google/imagenet/mobilenet_v2_035_224/feature_vector/5'


@dataclass(frozen=True)
class HubOptions(ModelOptions):
    """Which module, and what is put on top of it."""

    module: str = option(
        DEFAULT_MODULE,
        'TF-Hub module that gives feature vectors: a folder, a .tar.gz or an address.',
        kept_with_run=True,
    )
    module_sha256: str | None = option(
        None, 'Digest (sha256) that a .tar.gz module must have.', kept_with_run=True
    )
    module_cache_dir: str | None = option(
        None, 'Where modules are kept; none: $TFHUB_CACHE_DIR, else ~/.cache/tfhub_modules.'
    )
    fine_tuning: bool = option(
        False, 'Train the module too; else only the head learns.', kept_with_run=True
    )
    train_batch_norm: bool = option(
        True,
        "For fine-tuning: let the module's batch norm use and learn the statistics of each batch, "
        'and its dropout be on; off is better for few images.',
    )
    module_learning_rate_multiplier: float = option(
        1.0, 'For fine-tuning: what the learning rate is multiplied by for the module.', above=0
    )
    hidden_units: int = option(
        0,
        'Width of a hidden layer before the last; 0: none.',
        low=0,
        kept_with_run=True,
    )
