"""Train a head on a frozen TF-Hub module with Keras alone (see benchmarks.training).

Photos come from folders, decoded once and then kept in memory; the module computes the features of
all photos in every epoch. Module, head, optimizer, rate, batch and number of epochs are those of
the run that it is compared with.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow

if TYPE_CHECKING:
    import tensorflow as tf

# As in hyperparameters.yaml; Keras defaults to 1e-7.
ADAM_EPSILON = 1e-8


def main(argv: list[str]) -> int:
    """Train, and print a line after the evaluation of each epoch."""
    args = _parser().parse_args(argv)
    quiet_tensorflow(verbose=False)
    import tensorflow as tf

    tf.keras.utils.set_random_seed(0)
    train, class_names = _photos(args.photos / 'train', args, shuffle=True)
    test, _ = _photos(args.photos / 'test', args, shuffle=False)
    model = _model(args, len(class_names))
    tell = tf.keras.callbacks.LambdaCallback(on_epoch_end=_print_epoch)
    model.fit(train, validation_data=test, epochs=args.train_epochs, verbose=0, callbacks=[tell])
    return 0


def _photos(
    folder: Path, args: argparse.Namespace, shuffle: bool
) -> tuple[tf.data.Dataset, list[str]]:
    """Read (float32 [batch, size, size, 3] in [0, 1], int32 [batch]) elements and class names."""
    import tensorflow as tf

    # It says how many files it found, which nobody needs here.
    with contextlib.redirect_stdout(io.StringIO()):
        photos = tf.keras.utils.image_dataset_from_directory(
            folder,
            image_size=(args.image_size, args.image_size),
            batch_size=args.train_batch_size,
            shuffle=shuffle,
            seed=0,
            crop_to_aspect_ratio=True,
        )
    scaled = photos.map(
        lambda images, labels: (images / 255, labels), num_parallel_calls=tf.data.AUTOTUNE
    )
    return scaled.cache().prefetch(tf.data.AUTOTUNE), photos.class_names


def _model(args: argparse.Namespace, classes: int) -> tf.keras.Model:
    import tensorflow as tf
    import tensorflow_hub as hub

    layers = tf.keras.layers
    shape = (args.image_size, args.image_size, 3)
    model = tf.keras.Sequential(
        [
            hub.KerasLayer(args.module, trainable=False, input_shape=shape),
            layers.Dropout(args.dropout_rate),
            layers.Dense(classes),
        ]
    )
    model.compile(
        tf.keras.optimizers.Adam(args.learning_rate, epsilon=ADAM_EPSILON),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        ['accuracy'],
    )
    return model


def _print_epoch(epoch: int, logs: Mapping[str, float]) -> None:
    print(f'step {epoch + 1}: accuracy {logs["val_accuracy"]:.4f}', flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.keras_peer',
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('--photos', type=Path, required=True, help='folder with train/ and test/')
    parser.add_argument('--module', required=True, help='folder of a TF-Hub module')
    parser.add_argument('--image_size', type=int, default=224, help='pixels that it takes')
    parser.add_argument('--train_batch_size', type=int, default=32, help='images in a batch')
    parser.add_argument('--train_epochs', type=int, default=30, help='passes over the photos')
    parser.add_argument('--learning_rate', type=float, default=3e-3, help='of Adam')
    parser.add_argument('--dropout_rate', type=float, default=0.2, help='of the features')
    return parser


if __name__ == '__main__':
    sys.exit(run_program(main, sys.argv[1:]))
