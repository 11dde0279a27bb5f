"""Define what a model of project/models/ is: the class that a model of one's own implements."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from etils import epy

from library.config.hparams import HParams
from library.models.options import ModelOptions
from library.runs.metadata import Run

with epy.lazy_imports():
    import numpy as np
    import tensorflow as tf

# The size that most published image models take.
DEFAULT_IMAGE_SIZE = 224

# The collection of a graph that holds what `build` was given.
MODEL_INPUT = 'model_input'


class Model(abc.ABC):
    """An image classifier: pixels in, logits out.

    `build` must be implemented; `preprocess`, `classify`, `save_backbone`, `metric_ops` and
    `complete` may be. One instance builds one graph.

    Attributes:
      options_class: the class of the model's own options, known before TensorFlow is imported.
      options: an instance of it.
      num_classes: how many logits to give.
      random_seed: of initial weights and dropout.
      variables_to_train: what the optimizer changes; `build` fills it.
      kernels: of these, the ones under the L2 penalty; `build` fills it.
      losses: scalars that are added to the training loss; `build` fills it.
      learning_rate_multipliers: by scope, what the learning rate is multiplied by there; `build`
        fills it.
      features: float32 [batch, depth], what the last layers see, where a model has such a thing;
        `build` fills it.
      module_in_checkpoints: a warm start put weights into the frozen part of this model, so that
        the checkpoints have to hold them.
    """

    options_class: ClassVar[type[ModelOptions]] = ModelOptions

    def __init__(
        self,
        options: ModelOptions,
        num_classes: int,
        random_seed: int,
        module_in_checkpoints: bool = False,
    ):
        self.options = options
        self.num_classes = num_classes
        self.random_seed = random_seed
        self.module_in_checkpoints = module_in_checkpoints
        self.features: tf.Tensor | None = None
        self.learning_rate_multipliers: dict[str, float] = {}
        self.variables_to_train: list[tf.Variable] = []
        self.kernels: list[tf.Variable] = []
        self.losses: list[tf.Tensor] = []

    @classmethod
    def of_run(cls, params: HParams, run: Run) -> Model:
        """Make the model of a run, to build one graph."""
        return cls(
            params.take(cls.options_class),
            len(run.class_names),
            params.random_seed,
            module_in_checkpoints=run.module_from is not None,
        )

    @classmethod
    def complete(cls, hparams: HParams) -> Mapping[str, Any]:
        """Find out what only the model knows, once, before any graph is built.

        Returns:
          Values for options of this run; 'image_size' must be among them. A model that is built
          from a file also gives 'model_digest', so that another file is noticed later. A model
          whose features never change while it is trained gives 'features_digest', a digest of
          everything that they follow from except the pixels (see code_digest.py), and implements
          `classify`: its features can then be computed once and kept.

        Raises:
          ScaffoldError: what the options name cannot be had, or does not fit.
        """
        return {'image_size': hparams.image_size or DEFAULT_IMAGE_SIZE}

    def preprocess(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        """Turn pixels as the input chain gives them into what `build` takes.

        Args:
          images: uint8 [batch, size, size, 3].
          training: True while training.

        Returns:
          float32 [batch, size, size, 3] in [0, 1], the range that TF-Hub's image modules take.
        """
        del training
        return tf.image.convert_image_dtype(images, tf.float32)

    def logits(self, features: Mapping[str, tf.Tensor], training: bool) -> tf.Tensor:
        """Add the whole network to the graph, or what comes after features computed before.

        Args:
          features: those of model_fn.
          training: True while training.

        Returns:
          float32 [batch, num_classes].
        """
        if 'features' in features:
            return self.classify(features['features'], training)
        images = self.preprocess(features['image'], training)
        # An exported model also takes what `build` takes.
        tf.compat.v1.add_to_collection(MODEL_INPUT, images)
        # Where a TF1 module is inlined, TensorFlow makes it wait for the node that it takes: fed
        # pixels would wait for files. So that node is another one than the one that is fed.
        return self.build(tf.ensure_shape(images, images.shape), training)

    @abc.abstractmethod
    def build(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        """Add the network to the graph.

        Args:
          images: what `preprocess` returns.
          training: True while training: dropout and the like are on.

        Returns:
          float32 [batch, num_classes] logits.
        """

    def classify(self, features: tf.Tensor, training: bool) -> tf.Tensor:
        """Add what comes after the features: the part of the network that is trained.

        Args:
          features: float32 [batch, depth], as `build` leaves them in `self.features`.
          training: as for `build`.

        Returns:
          float32 [batch, num_classes] logits, as `build` gives them.
        """
        raise NotImplementedError(f'{type(self).__name__} keeps no features')

    def save_backbone(
        self, folder: str, image_size: int, weights: Mapping[str, np.ndarray]
    ) -> None:
        """Write what comes before the features as a TF-Hub module, for `run.py export`.

        It is called with no graph as the default one. tf.saved_model.save of a Keras model from
        images to features is such a module.

        Args:
          folder: for the module; on this machine.
          image_size: edge of the images that `build` takes.
          weights: the trained values of all variables, by the names that these have in the graph
            of `build`.
        """
        raise NotImplementedError(f'{type(self).__name__} does not say how its backbone is saved')

    def metric_ops(
        self, labels: tf.Tensor, predictions: Mapping[str, tf.Tensor]
    ) -> Mapping[str, Any]:
        """Give metrics beside accuracy and loss, as tf.estimator.EstimatorSpec.eval_metric_ops.

        Args:
          labels: int64 [batch].
          predictions: as `classifier.predictions_of` gives them.
        """
        del labels, predictions
        return {}

    def own(self, layers: Sequence[tf.keras.layers.Layer]) -> None:
        """Register layers as trained, their kernels as regularized.

        Raises:
          ValueError: a layer was not called yet, and so has no variables.
        """
        for layer in layers:
            if not layer.built:
                raise ValueError(f'the layer {layer.name!r} has no variables before it is called')
            self.variables_to_train += layer.trainable_variables
            self.kernels += [v for v in layer.trainable_variables if v.shape.rank > 1]
