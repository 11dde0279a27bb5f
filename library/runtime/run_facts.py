"""What a run knows beside its options: the classes of its data, and which run it is."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from library.config.explain import derived
from library.config.fields import DERIVED, Options, option
from library.config.hparams import HParams
from library.config.yaml_sets import Set
from library.errors import MismatchError
from library.records.manifest import Manifest


@dataclass(frozen=True)
class RunFacts(Options, group='found out by the run', home=DERIVED):
    """Kept in hparams.yaml; never set by a person."""

    class_names: tuple[str, ...] = option((), 'Names of the classes, in the order of labels.')
    run_id: str = option('', 'Tells this run from others that use the same folders.')


def with_facts(hparams: HParams, saved: Set | None, data: Manifest) -> HParams:
    """Adds the facts, from the saved run if there is one.

    Raises:
      MismatchError: the run was trained on other classes than `data` holds.
    """
    options = {name: entry.option for name, entry in hparams.entries().items()}
    before = derived(saved or {}, options['class_names'])
    if before and before != data.class_names:
        raise MismatchError(
            f'{hparams.model_dir}: trained on {len(before)} classes ({_listed(before)}), but '
            f'{data.folder} holds {len(data.class_names)} ({_listed(data.class_names)})'
        )
    run_id = derived(saved or {}, options['run_id']) or secrets.token_hex(8)
    hparams = hparams.with_values(data.folder, class_names=data.class_names)
    return hparams.with_values('the first start of the run', run_id=run_id)


def _listed(names: tuple[str, ...]) -> str:
    return ', '.join(names[:5]) + (' ...' if len(names) > 5 else '')
