"""Check what `run.py predict` was told, before TensorFlow is imported."""

from __future__ import annotations

from itertools import chain

from library import files
from library.config.command_line import ORIGIN
from library.config.hparams import HParams
from library.errors import ConfigError
from library.modes.prediction.found_images import check_some_exist, matching

# What a prediction file may end in.
ENDINGS = ('.csv', '.jsonl')


def check_prediction(hparams: HParams) -> None:
    """Raise ConfigError if there is nothing to classify, or no way to write the predictions."""
    if not hparams.explain:
        check_some_exist(hparams.predict_input, hparams.place('predict_input'))
    output = hparams.predict_output
    if output is not None:
        place = hparams.place('predict_output')
        if not output.lower().endswith(ENDINGS):
            raise ConfigError(f'{place}: {output} must end in {" or ".join(ENDINGS)}')
        if not files.is_remote(output) and files.is_folder(output):
            raise ConfigError(f'{place}: {output} is a folder')
        # Remote ones are not looked for.
        named = (
            [path] if files.is_remote(path) else matching(path) for path in hparams.predict_input
        )
        if files.real_path(output) in map(files.real_path, chain.from_iterable(named)):
            raise ConfigError(f'{place}: {output} is among what is to be classified')
    if hparams.saved_model is None:
        return
    for name in ('model_dir', 'validation_checkpoint'):
        if hparams.origin(name) == ORIGIN:
            raise ConfigError(f'--{name} is not used with --saved_model, which needs no run')
