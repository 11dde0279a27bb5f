"""Hold what a run finds out besides its options: the classes of its data, digests, its id.

Imports no TensorFlow.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from library import files
from library.config.fields import DERIVED, Option, Options, option, options_of
from library.config.hparams import HParams, Value
from library.config.yaml_sets import Set
from library.errors import ConfigError, MismatchError
from library.records.listing import Split
from library.records.manifest import Manifest

SAVED_AS = 'hparams.yaml'


@dataclass(frozen=True)
class RunMetadata(Options, group='found out by the run', home=DERIVED):
    """What is kept in hparams.yaml beside the options; never set by a person."""

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
        None, 'JPEG quality of stored training images that were re-encoded.'
    )
    stored_pictures: str | None = option(
        None, 'What the pixels of the training images were taken for, as JSON.'
    )
    train_features: str | None = option(
        None, 'Folder of the features that are trained on instead of images.'
    )
    eval_features: str | None = option(
        None, 'Folder of the features that are evaluated instead of images.'
    )
    run_id: str | None = option(None, 'Identifies this run among others that use the same folders.')


class Run(HParams):
    """The metadata of one run, and where each value came from; read as attributes."""

    def __init__(self, entries: Mapping[str, Value] | None = None, unused: Any = None):
        options = options_of(RunMetadata)
        defaults = {each.name: Value(each.default, 'default', each) for each in options}
        super().__init__(entries or defaults, unused)

    def found(self, origin: str, **values: Any) -> Run:
        """Return a copy with values that the run found out."""
        return self.with_values(origin, **values)


def kept(saved: Set | None, option: Option) -> Any:
    """Read a value that the saved run kept, such as its class names; None if it kept none.

    Raises:
      ConfigError: the file holds something else under that name.
    """
    if saved is None or option.name not in saved:
        return None
    try:
        return option.read(saved[option.name].text)
    except ValueError as error:
        raise ConfigError(f'{saved[option.name].origin}: {error}') from None


def check_fold(hparams: HParams, saved: Set | None) -> None:
    """Raise MismatchError for a fold that the saved run, if there is one, has trained on."""
    if saved is None or hparams.fold is None:
        return
    before = kept(saved, hparams.entries()['fold'].option)
    if before != hparams.fold:
        left_out = 'no fold' if before is None else f'fold {before} alone'
        raise MismatchError(
            f'{hparams.model_dir}: its training leaves out {left_out}, so --fold {hparams.fold} '
            f'would evaluate on what it has seen; each fold needs a --model_dir of its own'
        )


def kept_metadata(saved: Set | None, names: Collection[str] = ()) -> Run:
    """Read the metadata that a saved run kept.

    Args:
      saved: the values that the run kept; None for a run without any.
      names: only these; () is all.

    Raises:
      ConfigError: the file holds something else under one of the names.
    """
    run = Run()
    for each in options_of(RunMetadata):
        if saved and each.name in saved and (not names or each.name in names):
            run = run.found(saved[each.name].origin, **{each.name: kept(saved, each)})
    return run


def metadata_of(model_dir: str, saved: Set | None, data: Split, training: bool) -> Run:
    """Find out the metadata of a run from its data, and from what it kept.

    Args:
      model_dir: the run's directory.
      saved: the values that the run kept, if it exists already.
      data: what is trained on, or evaluated.
      training: whether `data` is trained on: the run counts its images.

    Raises:
      MismatchError: the run was trained on other classes than `data` holds.
    """
    before = kept_metadata(saved, ('class_names', 'run_id') if training else ())
    if before.class_names and before.class_names != data.class_names:
        raise MismatchError(
            f'{model_dir}: trained on {len(before.class_names)} classes '
            f'({_listed(before.class_names)}), but {data.folder} holds {len(data.class_names)} '
            f'({_listed(data.class_names)})'
        )
    run = before.found(data.folder, class_names=data.class_names)
    if training:
        run = run.found(
            data.folder,
            train_examples=data.examples,
            examples_per_class=data.label_counts,
            **_stored(data),
        )
    return _of_this_start(run, run.run_id or secrets.token_hex(8))


def metadata_without_data(model_dir: str, saved: Set | None) -> Run:
    """Find out the metadata of a run whose data are not read.

    Raises:
      MismatchError: the run did not keep its classes.
    """
    run = kept_metadata(saved)
    if not run.class_names:
        raise MismatchError(f'{model_dir}: hparams.yaml does not name the classes')
    return _of_this_start(run, run.run_id)


def _of_this_start(run: Run, run_id: str | None) -> Run:
    """Set the run's id, and no features: another start may evaluate images."""
    run = run.found('this start', train_features=None, eval_features=None)
    return run.found('the first start of the run', run_id=run_id)


def unknown_storage(model_dir: str, run: Run) -> str:
    """Say what is missing in a run that did not keep how images are stored; '' if nothing is."""
    if run.origin('stored_max_edge') != 'default':
        return ''
    return (
        f'{files.join(model_dir, SAVED_AS)} does not say how the training images were '
        f'stored, so large pictures may get other answers than in an evaluation: add the lines '
        f"'stored_max_edge: N' and 'stored_quality: N' with the --max_edge and --quality of the "
        f'conversion (N is null for what was never converted)'
    )


def _stored(data: Split) -> dict[str, int | str | None]:
    """Return how the images are stored, or read: predictions treat theirs alike."""
    options = data.options if isinstance(data, Manifest) else {}
    pictures = options.get('pictures') if options else getattr(data, 'pictures', None)
    return {
        'stored_max_edge': options.get('max_edge'),
        'stored_quality': options.get('quality'),
        'stored_pictures': json.dumps(pictures) if pictures else None,
    }


def with_completed(
    run: Run, model_dir: str, model: str, saved: Set | None, completed: Mapping[str, Any]
) -> Run:
    """Add what the model found out (Model.complete).

    Raises:
      MismatchError: the saved run was trained on another file, such as another module: its head
        would get features that it has never seen.
    """
    before = kept_metadata(saved, ('model_digest',)).model_digest
    now = completed.get('model_digest')
    trained = files.exists(files.join(model_dir, 'checkpoint'))
    if before and now and before != now and trained:
        raise MismatchError(
            f'{model_dir}: was trained on another module than this run names; choose '
            f'another --model_dir'
        )
    return run.found(f'model {model}', **completed)


def _listed(names: tuple[str, ...]) -> str:
    return ', '.join(names[:5]) + (' ...' if len(names) > 5 else '')
