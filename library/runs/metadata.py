"""What a run knows beside its options: the classes of its data, and which run it is."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from library import files
from library.config.fields import DERIVED, Options, option
from library.config.hparams import HParams
from library.config.yaml_sets import Set
from library.errors import MismatchError
from library.records.listing import Split
from library.records.manifest import Manifest
from library.runs.kept_values import SAVED_AS, derived


@dataclass(frozen=True)
class RunFacts(Options, group='found out by the run', home=DERIVED):
    """Kept in hparams.yaml; never set by a person."""

    class_names: tuple[str, ...] = option((), 'Names of the classes, in the order of labels.')
    model_digest: str | None = option(
        None, 'Digest of the file that the model was built from, such as a TF-Hub module.'
    )
    features_digest: str | None = option(
        None,
        'Digest of all that the features of an image follow from, beside its pixels; none: the '
        'model has no features that stay as they are.',
    )
    module_from: str | None = option(
        None,
        'Digest of the weights that a warm start put into a frozen module; the checkpoints hold '
        'them.',
    )
    train_examples: int = option(0, 'Images of an epoch.')
    examples_per_class: tuple[int, ...] = option(
        (), 'Training images of each class, in the order of labels; none: not counted.'
    )
    stored_max_edge: int | None = option(
        None, 'Longest edge of the stored training images; none: they keep their size.'
    )
    stored_quality: int | None = option(
        None, 'JPEG quality of stored training images that were encoded anew.'
    )
    train_features: str | None = option(
        None, 'Folder of the features that are trained on instead of images.'
    )
    eval_features: str | None = option(
        None, 'Folder of the features that are evaluated instead of images.'
    )
    run_id: str | None = option(None, 'Tells this run from others that use the same folders.')


def with_facts(hparams: HParams, saved: Set | None, data: Split, training: bool) -> HParams:
    """Adds the facts, from the saved run if there is one.

    Args:
      hparams: every option.
      saved: the values that the run kept, if it exists already.
      data: what is trained on, or evaluated.
      training: the former: the run counts its images.

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
    hparams = hparams.with_values(data.folder, class_names=data.class_names)
    if training:
        hparams = hparams.with_values(
            data.folder,
            train_examples=data.examples,
            examples_per_class=data.label_counts,
            **_stored(data),
        )
    return _of_this_start(hparams, saved, secrets.token_hex(8))


def with_known_facts(hparams: HParams, saved: Set | None) -> HParams:
    """Adds the facts of a run whose data are not read.

    Raises:
      MismatchError: the run did not keep its classes.
    """
    if not hparams.class_names:
        raise MismatchError(f'{hparams.model_dir}: hparams.yaml does not name the classes')
    return _of_this_start(hparams, saved, None)


def _of_this_start(hparams: HParams, saved: Set | None, new_id: str | None) -> HParams:
    """With the run's id, and without features: another start may evaluate images."""
    run_id = derived(saved or {}, hparams.entries()['run_id'].option) or new_id
    hparams = hparams.with_values('this start', train_features=None, eval_features=None)
    return hparams.with_values('the first start of the run', run_id=run_id)


def unknown_storage(hparams: HParams) -> str:
    """What to say of a run that was kept before runs remembered how images are stored; or ''."""
    if hparams.origin('stored_max_edge') != 'default':
        return ''
    return (
        f'{files.join(hparams.model_dir, SAVED_AS)} does not say how the training images were '
        f'stored, so large pictures may get other answers than in an evaluation: add the lines '
        f"'stored_max_edge: N' and 'stored_quality: N' with the --max_edge and --quality of the "
        f'conversion (N is null for what was never converted)'
    )


def _stored(data: Split) -> dict[str, int | None]:
    """How a conversion stored the images: predictions treat theirs alike."""
    options = data.options if isinstance(data, Manifest) else {}
    return {f'stored_{name}': options.get(name) for name in ('max_edge', 'quality')}


def with_completed(hparams: HParams, saved: Set | None, completed: Mapping[str, Any]) -> HParams:
    """Adds what the model found out (Model.complete).

    Raises:
      MismatchError: the saved run was trained on another file, such as another module: its head
        would get features that it has never seen.
    """
    option = hparams.entries()['model_digest'].option
    before, now = derived(saved or {}, option), completed.get('model_digest')
    trained = files.exists(files.join(hparams.model_dir, 'checkpoint'))
    if before and now and before != now and trained:
        raise MismatchError(
            f'{hparams.model_dir}: was trained on another module than this run names; choose '
            f'another --model_dir'
        )
    return hparams.with_values(f'model {hparams.model}', **completed)


def _listed(names: tuple[str, ...]) -> str:
    return ', '.join(names[:5]) + (' ...' if len(names) > 5 else '')
