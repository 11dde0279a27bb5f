"""Time one prediction from the start of the program, by stage; print the seconds as JSON.

It takes the steps of `run.py predict` one by one, in a process that has imported nothing yet.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence

STARTED = time.perf_counter()


def main(argv: Sequence[str]) -> int:
    """Predict; arguments: the run's folder, the image, and how often to repeat the last stage.

    The stages are in the order of the clock; 'again' is the median of the repetitions.
    """
    model_dir, path, times = argv
    seconds: dict[str, float] = {}
    before = STARTED

    def stage(name: str) -> None:
        nonlocal before
        now = time.perf_counter()
        seconds[name] = now - before
        before = now

    from library.config.command_line import parse
    from library.config.hparams import resolve
    from library.runs.kept_values import read_saved
    from library.runtime.environment import quiet_tensorflow
    from project.options import CATALOG

    words = ['predict', '--model_dir', model_dir, '--predict_input', path]
    saved = read_saved(model_dir)
    hparams = resolve(CATALOG, parse(words, CATALOG, ['predict']), saved)
    quiet_tensorflow(hparams.verbose)
    stage('options')

    import tensorflow as tf

    stage('import TensorFlow')
    # These two are loaded on first use.
    _ = tf.keras.Model, tf.estimator.Estimator
    stage('import Keras and Estimator')

    import run
    from library import files
    from library.modes.checkpoint_choice import chosen_checkpoint
    from library.modes.prediction.image_predictions import encoding_options_of
    from library.modes.serving.graph import ServingGraph
    from library.preparation.workers import prepare

    experiment = run.open_experiment(words)
    checkpoint = chosen_checkpoint(experiment.hparams, experiment.run.run_id)
    stage('open the run')
    graph = ServingGraph(experiment, checkpoint)
    stage('build and restore')
    with graph:
        encoding = encoding_options_of(
            experiment.run.stored_max_edge, experiment.run.stored_quality
        )
        image = prepare(files.read_bytes(path), encoding)
        stage('prepare the image')
        graph.predict([image.jpeg])
        stage('answer')
        repeated = []
        for _ in range(int(times)):
            graph.predict([image.jpeg])
            stage('again')
            repeated.append(seconds['again'])
        seconds['again'] = statistics.median(repeated)
    print(json.dumps(seconds))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
