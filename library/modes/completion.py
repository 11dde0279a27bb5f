"""Find out what only the model and a warm start know of a run, before any graph is built."""

from __future__ import annotations

from collections.abc import Mapping

from library.checkpoints.names import find_warm_start
from library.checkpoints.newest import newest_checkpoint
from library.config.catalog import Catalog
from library.config.hparams import HParams
from library.config.yaml_sets import Set
from library.errors import MismatchError
from library.models.model import Model
from library.runs.kept_values import derived
from library.runs.metadata import with_completed
from library.training.options import FineTuningOptions
from library.training.warm_start import module_weights_digest


def complete(
    hparams: HParams, saved: Set | None, models: Mapping[str, type[Model]], catalog: Catalog
) -> HParams:
    """Add what only the model knows, such as its image size, before any graph is built.

    Args:
      hparams: every option.
      saved: the values that the run kept, if it exists already.
      models: the project's models by name.
      catalog: the options there are; knows other names of a model.

    Raises:
      ScaffoldError: what the options name cannot be had, or does not fit the run.
    """
    _check_model(hparams, saved, catalog)
    completed = models[hparams.model].complete(hparams)
    hparams = with_completed(hparams, saved, completed)
    return hparams.with_values('warm start', module_from=_module_from(hparams, saved))


def _check_model(hparams: HParams, saved: Set | None, catalog: Catalog) -> None:
    """Raises MismatchError if a run would go on with another model than it has trained."""
    before = derived(saved or {}, hparams.entries()['model'].option)
    before = catalog.choice('model', before or hparams.model)
    if before != hparams.model and newest_checkpoint(hparams.model_dir) is not None:
        raise MismatchError(
            f'{hparams.model_dir}: is a run of the model {before}, and not of {hparams.model}: '
            f'go on with --model {before}, or choose another --model_dir'
        )


def _module_from(hparams: HParams, saved: Set | None) -> str | None:
    """Digest of the weights that a warm start puts, or put, into a frozen module."""
    cleaned = 'clean' in hparams and hparams.clean
    if hparams.warm_start_ckpt and (cleaned or newest_checkpoint(hparams.model_dir) is None):
        emptied = hparams.model_dir if cleaned else None
        find_warm_start(hparams.warm_start_ckpt, emptied)
        if hparams.features_digest:
            return module_weights_digest(hparams.take(FineTuningOptions))
    elif hparams.features_digest:
        before: str | None = derived(saved or {}, hparams.entries()['module_from'].option)
        return before
    return None
