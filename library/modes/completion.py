"""Find out what only the model and a warm start know of a run, before any graph is built."""

from __future__ import annotations

from library.checkpoints.names import find_warm_start
from library.checkpoints.newest import newest_checkpoint
from library.config.fields import options_of
from library.config.hparams import HParams
from library.config.yaml_sets import Set
from library.errors import MismatchError
from library.models.model import Model
from library.runs.metadata import Run, RunMetadata, kept, kept_metadata, with_completed
from library.training.options import FineTuningOptions
from library.training.warm_start import module_weights_digest


def complete(
    hparams: HParams, run: Run, model: type[Model], saved: Set | None
) -> tuple[HParams, Run]:
    """Add what only the model knows, such as its image size, before any graph is built.

    Args:
      hparams: every option.
      run: what the data told.
      model: the class of the model that the run names.
      saved: the values that the run kept, if it exists already.

    Raises:
      ScaffoldError: what the options name cannot be had, or does not fit the run.
    """
    _check_model(hparams, saved)
    completed = model.complete(hparams)
    names = {each.name for each in options_of(RunMetadata)}
    found = {name: value for name, value in completed.items() if name in names}
    values = {name: value for name, value in completed.items() if name not in names}
    run = with_completed(run, hparams.model_dir, hparams.model, saved, found)
    run = run.found('warm start', module_from=_module_from(hparams, run, saved))
    return hparams.with_values(f'model {hparams.model}', **values), run


def _check_model(hparams: HParams, saved: Set | None) -> None:
    """Raise MismatchError if a run would go on with another model than it has trained."""
    before = kept(saved, hparams.entries()['model'].option)
    # `latest` may have been kept by an older version; what it stood for is not known any more.
    if before not in (None, 'latest', hparams.model) and newest_checkpoint(hparams.model_dir):
        raise MismatchError(
            f'{hparams.model_dir}: is a run of the model {before}, and not of {hparams.model}: '
            f'go on with --model {before}, or choose another --model_dir'
        )


def _module_from(hparams: HParams, run: Run, saved: Set | None) -> str | None:
    """Give the digest of the weights that a warm start puts, or put, into a frozen module."""
    cleaned = 'clean' in hparams and hparams.clean
    if hparams.warm_start_ckpt and (cleaned or newest_checkpoint(hparams.model_dir) is None):
        emptied = hparams.model_dir if cleaned else None
        find_warm_start(hparams.warm_start_ckpt, emptied)
        if run.features_digest:
            return module_weights_digest(hparams.take(FineTuningOptions))
    elif run.features_digest:
        return kept_metadata(saved, ('module_from',)).module_from
    return None
