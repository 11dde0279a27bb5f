"""Classify images: files in, a table on the screen and a file of predictions out."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import tqdm

from library import files
from library.config.command_line import ORIGIN
from library.config.fields import options_of
from library.config.hparams import HParams
from library.cores import count_cores
from library.errors import ConfigError
from library.inputs.options import DataOptions
from library.modes.checkpoint_choice import chosen_checkpoint, with_chosen_checkpoint
from library.modes.prediction.found_images import find_images
from library.modes.prediction.image_predictions import Prediction, encoding_options_of, predict_all
from library.modes.prediction.prediction_file import encoded
from library.modes.prediction.prediction_table import PredictionTable
from library.modes.serving.graph import ServingGraph
from library.modes.serving.predictor import Predictor
from library.modes.serving.saved import SavedModelGraph, metadata_of_export, newest_version
from library.preparation.pictures.decoded_size import SizeOptions
from library.preparation.pictures.picture_options import PictureOptions
from library.runs.metadata import Run, unknown_storage
from library.runtime.experiment import Experiment
from library.runtime.options import SessionOptions
from library.runtime.run_config import session_config

# Rows on the screen where all of them go to a file; of the others as many that are errors.
SHOWN = 20


def run(experiment: Experiment) -> int:
    """Predict with a checkpoint of a run; return the exit code, 0 however many files are bad.

    Raises:
      ConfigError: there is no such checkpoint, or nothing to classify.
      MismatchError: the checkpoint does not fit the model.
    """
    hparams, run = experiment.hparams, experiment.run
    # There is one, before the images are looked for.
    chosen_checkpoint(hparams, run.run_id)
    if text := unknown_storage(hparams.model_dir, run):
        _warn(text)

    def load() -> ServingGraph:
        return with_chosen_checkpoint(
            hparams, run.run_id, lambda _, path: ServingGraph(experiment, path)
        )

    return _predict(hparams, run, load)


def run_alone(hparams: HParams) -> int:
    """Predict with an exported model; return the exit code.

    Raises:
      ConfigError: there is no such model, or nothing to classify.
      MismatchError: it cannot be asked about images.
    """
    folder = newest_version(hparams.saved_model)
    config = session_config(hparams.take(SessionOptions))
    return _predict(hparams, metadata_of_export(folder), lambda: SavedModelGraph(folder, config))


def _check_typed(hparams: HParams) -> None:
    """Raise ConfigError for an option that says otherwise what the pixels mean."""
    for each in options_of(PictureOptions):
        if hparams.origin(each.name) == ORIGIN:
            raise ConfigError(
                f'--{each.name} has no effect: images are read as those of the training were'
            )


def _predict(hparams: HParams, run: Run, load: Callable[[], Predictor]) -> int:
    """Ask the model that `load` gives, once it is known that there is something to ask."""
    _check_typed(hparams)
    images = find_images(hparams.predict_input, _warn)
    first = next(images, None)
    if first is None:
        raise ConfigError(f'{", ".join(hparams.predict_input[:5])}: no images found')
    images = chain([first], images)
    count = min(hparams.top_k, len(run.class_names))
    screen = _Screen(PredictionTable(run.class_names, count), hparams.predict_output)

    def batches() -> Iterator[list[Prediction]]:
        with load() as model, screen:
            yield from screen.shown(
                predict_all(
                    images,
                    model,
                    encoding_options_of(
                        run.stored_max_edge,
                        run.stored_quality,
                        run.stored_pictures,
                        hparams.take(SizeOptions).max_pixels,
                    ),
                    top_k=count,
                    batch_size=hparams.take(DataOptions).images_per_batch(training=False),
                    threads=count_cores(),
                )
            )

    if hparams.predict_output is None:
        for _ in batches():
            pass
    else:
        _write(hparams.predict_output, encoded(hparams.predict_output, batches(), count))
    screen.summarize()
    return 0


def _write(path: str, pieces: Iterator[bytes]) -> None:
    """Write the file whole or not at all; it is opened before the first piece is asked for."""
    files.make_folder(os.path.dirname(path) or '.')
    # Of this process alone: of two that write one file, the last to finish wins whole.
    partial = f'{path}.{os.getpid()}-{secrets.token_hex(4)}.partial'
    try:
        files.write_atomically(path, pieces, partial)
    except BaseException:
        with contextlib.suppress(Exception):
            files.remove(partial)
        raise


class _Screen:
    """Rows, a progress bar and the last line; a with statement around predictions times them."""

    def __init__(self, table: PredictionTable, output: str | None):
        self._table = table
        self._output = output
        self._images = self._errors = self._late_errors = 0
        self._seconds = 0.0

    def __enter__(self) -> _Screen:
        # disable=None: no bar where nobody looks (a log file).
        self._bar = tqdm.tqdm(unit='image', desc='predicting', disable=None)
        self._started = time.monotonic()
        return self

    def __exit__(self, *exception: object) -> None:
        self._seconds = time.monotonic() - self._started
        self._bar.close()

    def shown(self, batches: Iterator[list[Prediction]]) -> Iterator[list[Prediction]]:
        """Yield the same batches, each once its rows are on the screen."""
        for predictions in batches:
            rows: Sequence[Prediction] = predictions
            if self._output is not None:
                left = max(SHOWN - self._images, 0)
                late = [each for each in predictions[left:] if each.error]
                late = late[: max(SHOWN - self._late_errors, 0)]
                self._late_errors += len(late)
                rows = [*predictions[:left], *late]
            if rows:
                # Over the bar, which is drawn again below.
                self._bar.write('\n'.join(self._table.lines(rows)), file=sys.stdout)
                sys.stdout.flush()
            self._images += len(predictions)
            self._errors += sum(bool(prediction.error) for prediction in predictions)
            self._bar.update(len(predictions))
            yield predictions

    def summarize(self) -> None:
        """Print the last line."""
        if self._output is not None and self._images > SHOWN:
            print('...')
        text = f'{_counted(self._images, "image")}, {_counted(self._errors, "error")}'
        text += f', written to {self._output}' if self._output else ''
        print(f'{text} ({self._images / max(self._seconds, 1e-9):.0f} images/s)')


def _counted(number: int, what: str) -> str:
    return f'{number} {what}' if number == 1 else f'{number} {what}s'


def _warn(text: str) -> None:
    tqdm.tqdm.write(f'warning: {text}', file=sys.stderr)
