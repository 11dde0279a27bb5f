"""Restore a checkpoint into one graph and session, from encoded images to names of classes.

Predictions are made in it, and exported models are what it holds: they cannot differ. Its decoding
is that of evaluation.
"""

from __future__ import annotations

import tensorflow as tf

from library.checkpoints.fit import check_fit, graph_variables
from library.inputs.stored_files import serving_images
from library.models.model import MODEL_INPUT
from library.modes.serving.predictor import Predictor
from library.runtime.experiment import Experiment

GLOBAL = tf.compat.v1.GraphKeys.GLOBAL_VARIABLES
LOCAL = tf.compat.v1.GraphKeys.LOCAL_VARIABLES


class ServingGraph(Predictor):
    """The graph of a checkpoint, as evaluation has it, from encoded images on.

    Attributes:
      images: float32 [batch, size, size, 3], what the model's `build` takes; may be fed instead.
      features: float32 [batch, depth], what the last layers see; None where the model tells none.
      by_label: float32 [batch, classes], the probabilities in the order of labels.
      global_step: int, the checkpoint's.
    """

    def __init__(self, experiment: Experiment, checkpoint: str):
        """Build the graph and restore the checkpoint.

        Args:
          experiment: a run.
          checkpoint: path without ending.

        Raises:
          MismatchError: the checkpoint does not fit the model.
        """
        self._experiment = experiment
        self._checkpoint = checkpoint
        super().__init__(experiment.estimator.config.session_config)

    def _fill(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        experiment = self._experiment
        hparams, run, estimator = experiment.hparams, experiment.run, experiment.estimator
        step = tf.compat.v1.train.get_or_create_global_step()
        image_bytes = tf.compat.v1.placeholder(tf.string, [None], 'image_bytes')
        decoded = serving_images(image_bytes, hparams, run)
        spec = estimator.model_fn(
            {'image': decoded}, None, tf.estimator.ModeKeys.PREDICT, estimator.config
        )
        (self.images,) = tf.compat.v1.get_collection(MODEL_INPUT)
        self.by_label = spec.predictions['probabilities']
        self.features = spec.predictions.get('features')
        count = len(run.class_names)
        probabilities, order = tf.math.top_k(self.by_label, count)
        names = [n.encode('utf-8', 'surrogateescape') for n in run.class_names]
        classes = tf.gather(tf.constant(names), order)
        self._restore(spec)
        self.global_step = int(self.session.run(step))
        return image_bytes, classes, probabilities

    def _restore(self, spec: tf.estimator.EstimatorSpec) -> None:
        """Give every variable its value: the checkpoint's, or that of a frozen module itself."""
        check_fit(graph_variables(), self._checkpoint)
        scaffold = spec.scaffold
        saver = scaffold.saver if scaffold and scaffold.saver else tf.compat.v1.train.Saver()
        start = [tf.compat.v1.local_variables_initializer(), tf.compat.v1.tables_initializer()]
        self.session.run(start)
        saver.restore(self.session, self._checkpoint)
        # An exported model holds all of them, and looks nowhere else.
        kept = tf.compat.v1.get_collection_ref(GLOBAL)
        known = {id(variable) for variable in kept}
        local = tf.compat.v1.get_collection_ref(LOCAL)
        kept += [variable for variable in local if id(variable) not in known]
        local.clear()
