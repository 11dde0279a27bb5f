"""Write a serving graph as a SavedModel, with all that a server wants beside it."""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from library import files
from library.config.hparams import HParams
from library.modes.exporting.pruning import prune_saved_model
from library.modes.exporting.warm_up import prediction_log
from library.modes.serving.graph import ServingGraph
from library.modes.serving.saved import ASSETS, INPUT, SIGNATURE
from library.runs.kept_values import save
from library.runs.metadata import Run

IMAGES, FEATURES = 'images', 'features'
CLASS_NAMES = 'class_names.txt'
# Where TensorFlow Serving looks for requests to try before it answers others.
WARM_UP = ('assets.extra', 'tf_serving_warmup_requests')
# Of the warm-up image; none from the data, which may be private.
GREY = 128

_API = tf.compat.v1.saved_model


def write_saved_model(serving: ServingGraph, hparams: HParams, run: Run, folder: str) -> None:
    """Write the model, its assets and its warm-up requests.

    The assets are files that no node of the graph reads, so they are put there as they are:
    TensorFlow's own assets would bring a node each, whose path loaders have to change.

    Args:
      serving: the graph, with every variable restored.
      hparams: the run's values.
      run: what the run found out.
      folder: local, and made already.
    """
    with serving.graph.as_default():
        # The Builder wants to make the folder itself.
        os.rmdir(folder)
        builder = _API.Builder(folder)
        builder.add_meta_graph_and_variables(
            serving.session,
            [_API.tag_constants.SERVING],
            _signatures(serving),
            clear_devices=True,
            strip_default_attrs=True,
        )
        builder.save()
    prune_saved_model(folder)
    assets = os.path.join(folder, ASSETS)
    save(hparams, run, assets)
    # No name holds a line break: a conversion refuses such.
    lines = ''.join(f'{name}\n' for name in run.class_names)
    encoded = lines.encode('utf-8', 'surrogateescape')
    files.write_atomically(os.path.join(assets, CLASS_NAMES), encoded)
    _write_warm_up(folder, hparams.image_size)


def _signatures(serving: ServingGraph) -> dict[str, SignatureDef]:
    outputs = {'classes': serving.classes, 'probabilities': serving.probabilities}
    images = {IMAGES: serving.images}
    signatures = {
        SIGNATURE: _signature({INPUT: serving.image_bytes}, outputs),
        IMAGES: _signature(images, outputs),
    }
    if serving.features is not None:
        signatures[FEATURES] = _signature(images, {FEATURES: serving.features})
    return signatures


def _signature(inputs: dict[str, tf.Tensor], outputs: dict[str, tf.Tensor]) -> SignatureDef:
    infos = (
        {name: _API.build_tensor_info(tensor) for name, tensor in tensors.items()}
        for tensors in (inputs, outputs)
    )
    return _API.build_signature_def(*infos, _API.signature_constants.PREDICT_METHOD_NAME)


def _write_warm_up(folder: str, image_size: int) -> None:
    """Write a request for each way to ask about an image; the first one would else take seconds."""
    grey = np.full([image_size, image_size, 3], GREY, np.uint8)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        encoded = session.run([tf.io.encode_jpeg(grey), tf.io.encode_png(grey)])
    requests = [(SIGNATURE, INPUT, tf.make_tensor_proto([image], tf.string)) for image in encoded]
    floats = tf.make_tensor_proto(GREY / 255, tf.float32, [1, image_size, image_size, 3])
    requests.append((IMAGES, IMAGES, floats))
    path = os.path.join(folder, *WARM_UP)
    files.make_folder(os.path.dirname(path))
    with tf.io.TFRecordWriter(path) as writer:
        for request in requests:
            writer.write(prediction_log(*request))
