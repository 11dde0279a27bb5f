"""Put a new head on the feature vectors of a pretrained TF-Hub module."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from etils import epy

from library import files
from library.checkpoints.scopes import MODULE
from library.config.fields import option
from library.config.hparams import HParams
from library.models.code_digest import features_digest
from library.models.head import add_head
from library.models.model import DEFAULT_IMAGE_SIZE, Model
from library.models.options import ModelOptions

with epy.lazy_imports():
    import numpy as np
    import tensorflow as tf

    from library.models import backbone, frozen_module, module_cache, module_loading, placement

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
        None, 'Where modules are kept; none: $TFHUB_CACHE_DIR, otherwise ~/.cache/tfhub_modules.'
    )
    fine_tuning: bool = option(
        False, 'Train the module too; otherwise only the head.', kept_with_run=True
    )
    train_batch_norm: bool = option(
        True,
        "For fine-tuning: let the module's batch norm use and learn the statistics of each batch, "
        'and its dropout be on; off is better for few images.',
        needs='fine_tuning',
    )
    module_learning_rate_multiplier: float = option(
        1.0,
        'For fine-tuning: what the learning rate is multiplied by for the module.',
        above=0,
        needs='fine_tuning',
    )
    hidden_units: int = option(
        0,
        'Width of a hidden layer before the last; 0: none.',
        low=0,
        kept_with_run=True,
    )


class HubModel(Model):
    """The module under the scope module/, the head under head/.

    Frozen, the module's variables stay out of the checkpoints: they are loaded from the module
    itself at each start, and a checkpoint holds the head alone.
    """

    options_class = HubOptions
    options: HubOptions

    @classmethod
    def complete(cls, hparams: HParams) -> Mapping[str, Any]:
        """Fetch the module and take the image size from it.

        Raises:
          ResourceError: the module cannot be had.
          MismatchError: another image size was asked for than the module takes, or fine-tuning of
            a module that cannot be trained.
        """
        info = module_loading.inspect_module(_fetch(hparams))
        module_loading.check_use(info, hparams.module, hparams.image_size, hparams.fine_tuning)
        return {
            'image_size': info.image_size or hparams.image_size or DEFAULT_IMAGE_SIZE,
            'model_digest': info.digest,
            'features_digest': None if hparams.fine_tuning else features_digest(info.digest, cls),
        }

    def build(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        """Add module and head; see Model.build."""
        options = self.options
        with tf.compat.v1.variable_scope(MODULE.rstrip('/')):
            with self._device(training):
                module = module_loading.load_module(_fetch(options), options.fine_tuning)
            # A frozen module runs in inference mode also while the head trains: its batch norm
            # must not change, or training and evaluation would see different features.
            in_training = training and options.fine_tuning and options.train_batch_norm
            features = module_loading.features_of(module, images, in_training)
        module_loading.check_features(features, options.module)
        if training:
            module_loading.warn_of_randomness(options.module, images, features)
        if options.fine_tuning:
            # The graph's own collection of trainable variables lacks them on one device.
            self.variables_to_train += module.trainable_variables
            self.losses += module.losses
            self.learning_rate_multipliers[MODULE] = options.module_learning_rate_multiplier
        elif not self.module_in_checkpoints:
            frozen_module.keep_out_of_checkpoints(module.variables)
        self.features = features
        return self.classify(features, training)

    def classify(self, features: tf.Tensor, training: bool) -> tf.Tensor:
        """Add the head; see Model.classify."""
        options = self.options
        if self.module_in_checkpoints and self.features is None:
            frozen_module.keep_in_checkpoints(_fetch(options), training)
        return add_head(self, features, training, options.dropout_rate, options.hidden_units)

    def save_backbone(
        self, folder: str, image_size: int, weights: Mapping[str, np.ndarray]
    ) -> None:
        """Write the module: unchanged, or with the weights that it was given since."""
        source = _fetch(self.options)
        if self.options.fine_tuning or self.module_in_checkpoints:
            backbone.save_module(source, folder, weights)
        else:
            files.copy_below(source, folder, files.names_below(source))

    def _device(self, training: bool) -> AbstractContextManager[object]:
        """Say where the module's variables are; with parameter servers TF_CONFIG decides."""
        is_shared = self.options.fine_tuning or self.module_in_checkpoints
        # What every task loads for itself stays with it.
        return placement.own_device() if training and not is_shared else nullcontext()


def _fetch(options: Any) -> str:
    return module_cache.fetch_module(
        options.module, options.module_cache_dir, options.module_sha256
    )
