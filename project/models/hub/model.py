"""A TF-Hub module gives feature vectors, a new head turns them into logits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import tensorflow as tf

from library import files
from library.checkpoints.scopes import LEFT_OUT, MODULE
from library.config.hparams import HParams
from library.errors import MismatchError
from library.models.code_digest import code_digest
from library.models.head import add_head
from library.models.hub_module import (
    check_features,
    inspect_module,
    load_module,
    warn_of_randomness,
)
from library.models.model import DEFAULT_IMAGE_SIZE, Model
from library.models.module_cache import fetch_module
from library.models.placement import own_device
from library.models.trunk import save_module
from project.models.hub.options import HubOptions


class HubModel(Model):
    """The module under the scope module/, the head under head/.

    Frozen, the module's variables stay out of the checkpoints: they are loaded from the module
    itself at each start, and a checkpoint holds the head alone.
    """

    Options = HubOptions

    @classmethod
    def complete(cls, hparams: HParams) -> Mapping[str, Any]:
        """Fetches the module and takes the image size from it.

        Raises:
          ResourceError: the module cannot be had.
          MismatchError: another image size was asked for than the module takes, or fine-tuning of
            a module that cannot be trained.
        """
        folder = _fetch(hparams)
        info = inspect_module(folder)
        wanted = hparams.image_size
        if info.image_size and wanted and wanted != info.image_size:
            raise MismatchError(
                f'{hparams.module}: takes images of {info.image_size} pixels, not --image_size '
                f'{wanted}; leave image_size out'
            )
        if info.is_tf1 and hparams.fine_tuning:
            raise MismatchError(
                f'{hparams.module}: a module in the TF1 format cannot be fine-tuned; choose one '
                f'in the TF2 format, or --no_fine_tuning'
            )
        return {
            'image_size': info.image_size or wanted or DEFAULT_IMAGE_SIZE,
            'model_digest': info.digest,
            'features_digest': None if hparams.fine_tuning else cls._features_digest(info.digest),
        }

    def build(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        """Adds module and head; see Model.build."""
        options = self.options
        with tf.compat.v1.variable_scope('module'):
            with self._device(training):
                module = load_module(_fetch(options), options.fine_tuning)
            # A frozen module runs in inference mode also while the head trains: its batch norm
            # must not change, or training and evaluation would see different features.
            in_training = training and options.fine_tuning and options.train_batch_norm
            features = _features(module, images, in_training)
        check_features(features, options.module)
        if training:
            warn_of_randomness(options.module, images, features)
        if options.fine_tuning:
            # The graph's own collection of trainable variables lacks them on one device.
            self.variables_to_train += module.trainable_variables
            self.losses += module.losses
            self.learning_rate_multipliers[MODULE] = options.module_learning_rate_multiplier
        elif not self.module_in_checkpoints:
            _keep_out_of_checkpoints(module.variables)
        self.features = features
        return self.classify(features, training)

    def classify(self, features: tf.Tensor, training: bool) -> tf.Tensor:
        """Adds the head; see Model.classify."""
        options = self.options
        if self.module_in_checkpoints and self.features is None:
            self._keep_module_in_checkpoints(training)
        return add_head(self, features, training, options.dropout_rate, options.hidden_units)

    def save_trunk(self, folder: str, image_size: int, weights: Mapping[str, np.ndarray]) -> None:
        """Writes the module: unchanged, or with the weights that it was given since."""
        source = _fetch(self.options)
        if self.options.fine_tuning or self.module_in_checkpoints:
            save_module(source, folder, weights)
        else:
            files.copy_below(source, folder, files.names_below(source))

    def _device(self, training: bool) -> AbstractContextManager[object]:
        """Where the module's variables are."""
        is_shared = self.options.fine_tuning or self.module_in_checkpoints
        # What every process loads for itself stays with it.
        return own_device() if training and not is_shared else nullcontext()

    def _keep_module_in_checkpoints(self, training: bool) -> None:
        """For features that were computed before: nothing else would save the module's weights."""
        if not training:
            tf.compat.v1.add_to_collection(LEFT_OUT, True)
            return
        with tf.compat.v1.variable_scope('module'):
            load_module(_fetch(self.options), trainable=False)

    @classmethod
    def _features_digest(cls, module_digest: str) -> str:
        """Of the module and of the code around it, `preprocess` above all."""
        made_by = (each for each in cls.__mro__ if issubclass(each, Model))
        code = code_digest(*made_by, packages=(cls.__module__.partition('.')[0],))
        return hashlib.sha256(f'{module_digest}\n{code}'.encode()).hexdigest()


# Python decides nothing in a layer of TF-Hub by a tensor's value, and to look for that takes half a
# second in every graph.
@tf.autograph.experimental.do_not_convert
def _features(module: tf.keras.layers.Layer, images: tf.Tensor, training: bool) -> tf.Tensor:
    return module(images, training=training)


def _fetch(options: Any) -> str:
    return fetch_module(options.module, options.module_cache_dir, options.module_sha256)


def _keep_out_of_checkpoints(variables: list[tf.Variable]) -> None:
    """Moves variables from the global to the local ones.

    The Saver then leaves them out, and the initializer of local variables loads them from the
    module at every start, resume included. All replicas of a strategy have the same variables: the
    first one moves them.
    """
    wanted = {id(variable) for variable in variables}
    listed = tf.compat.v1.get_collection_ref(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES)
    moved = [variable for variable in listed if id(variable) in wanted]
    listed[:] = [variable for variable in listed if id(variable) not in wanted]
    for variable in moved:
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.LOCAL_VARIABLES, variable)
