"""Go from nothing to a trained TF-Hub classifier with the programs of this project: `make demo`."""

from __future__ import annotations

import os
import shutil
import sys
import time

import convert_dataset
import run
from library.runtime.entry import run_program
from library.runtime.environment import quiet_tensorflow

FOLDER = os.path.join('out', 'demo')
DATASET = os.path.join(FOLDER, 'dataset')
MODULE = os.path.join(FOLDER, 'module')
PICTURE = os.path.join(FOLDER, 'result.png')
SETS = ['--config_set', 'demo', '--hyperparameter_set', 'demo']


def main(argv: list[str]) -> int:
    """Make digits and module if missing, convert, train from the start and show the result."""
    del argv
    started = time.monotonic()
    quiet_tensorflow(verbose=False)
    _print_step("1/4  scikit-learn's digits as JPEG folders")
    if not os.path.isdir(DATASET):
        from demo.digits import write_digits

        write_digits(f'{DATASET}.partial')
        os.rename(f'{DATASET}.partial', DATASET)
    _print_step('2/4  a small TF-Hub module, trained on the digits 0 to 4')
    if not os.path.isdir(MODULE):
        from demo.module import make_module

        make_module(DATASET, f'{MODULE}.partial')
        os.rename(f'{MODULE}.partial', MODULE)
    words = f'--dataset_dir {DATASET} --tfrecord_dir {DATASET} --max_edge 384'
    _print_step(f'3/4  .venv/bin/python convert_dataset.py {words}')
    convert_dataset.main(words.split())
    _print_step(f'4/4  .venv/bin/python run.py {" ".join(SETS)}')
    for name in ('checkpoints', 'best'):
        shutil.rmtree(os.path.join(FOLDER, name), ignore_errors=True)
    run.main(SETS)
    _show_result(time.monotonic() - started)
    return 0


def _print_step(text: str) -> None:
    print(f'\n{text}', flush=True)


def _show_result(seconds: float) -> None:
    """Draw the picture, and say how good the model is and what to try next."""
    import numpy as np
    import tensorflow as tf

    from demo.picture import draw_result
    from library.exporters.history import read_history

    checkpoints, best = (os.path.join(FOLDER, name) for name in ('checkpoints', 'best'))
    experiment = run.open_experiment(['evaluate', *SETS, '--model_dir', best])
    batches = list(experiment.batches(tf.estimator.ModeKeys.EVAL)())
    images = np.concatenate([features['image'] for features, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    predictions = experiment.estimator.predict(experiment.batches(tf.estimator.ModeKeys.PREDICT))
    predicted = np.array([prediction['label'] for prediction in predictions])
    history = read_history(checkpoints)
    draw_result(PICTURE, history, images, labels, predicted, experiment.run.class_names)
    print(f"""
test accuracy      {np.mean(labels == predicted):.3f} on {len(labels)} digits, in {seconds:.0f} s
best checkpoint    {best}
picture            {PICTURE}

Try next:
  .venv/bin/python run.py evaluate --model_dir {best}    (a page about the run)
  .venv/bin/python run.py predict --model_dir {best} --predict_input {DATASET}/test/7
  .venv/bin/python run.py export --model_dir {best}
  .venv/bin/python run.py {' '.join(SETS)} --fine_tuning --model_dir out/tuned \\
      --best_model_dir out/tuned/best
  .venv/bin/tensorboard --logdir {checkpoints}
or edit the set `demo` in hyperparameters.yaml, and `make demo` again.""")


if __name__ == '__main__':
    sys.exit(run_program(main, sys.argv[1:]))
