"""Open the data of a run: converted images, images as they are, or noise."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any
from unicodedata import normalize

from library.config.hparams import HParams
from library.config.yaml_sets import Set
from library.errors import ConfigError, DataError
from library.inputs.given_data import open_metadata
from library.inputs.options import DataOptions
from library.inputs.picture_check import warn_of_other_pictures
from library.preparation.labels import relabel
from library.preparation.pictures.picture_options import BEFORE
from library.preparation.sources.registry import Sources
from library.records.example_keys import NAME
from library.records.external import ExternalRecords
from library.records.listing import AUTO, Listing, Split, is_split_name
from library.records.manifest import Manifest, check_same_classes
from library.records.split_folders import evaluation_split, open_other_folds, open_split
from library.runs.metadata import (
    Run,
    check_fold,
    kept_metadata,
    metadata_of,
    metadata_without_data,
)


def open_all(
    hparams: HParams,
    saved: Set | None,
    sources: Sources,
    training: bool,
    evaluating: bool = True,
) -> tuple[HParams, Run, Split | None, Split | None]:
    """Open what a run reads, and find out its classes.

    Args:
      hparams: every option.
      saved: the values that the run kept, if it exists already.
      sources: of images as they are, by name.
      training: False leaves the training data closed.
      evaluating: False leaves the evaluation data closed; the run must know its classes then.

    Returns:
      The HParams with the evaluation split, and colours as an earlier version left them where the
        run is of one; class names, run id and what else the data tell;
      training data; evaluation data.

    Raises:
      ConfigError: there is no such data.
      DataError: it is damaged, or the two hold different classes.
      MismatchError: the run was trained on other classes, or on the fold to evaluate.
    """
    if not training:
        check_fold(hparams, saved)
    hparams = _with_colors_of(hparams, saved)
    train_data = _open_to_train(hparams, saved, sources) if training else None
    if not evaluating:
        return hparams, metadata_without_data(hparams.model_dir, saved), train_data, None
    if train_data:
        run = metadata_of(hparams.model_dir, saved, train_data, training=True)
    else:
        run = kept_metadata(saved, ('class_names',))
    eval_data = open_data(hparams, sources, run.class_names, training=False)
    if not train_data and run.class_names:
        eval_data = _by_name(eval_data, run.class_names)
    if train_data:
        check_same_classes(train_data, eval_data)
        _warn_of_shared(train_data, eval_data)
    else:
        run = metadata_of(hparams.model_dir, saved, eval_data, training=False)
    eval_data = _stored_alike(eval_data, run)
    warn_of_other_pictures(run, eval_data)
    if not hparams.eval_metadata and not hparams.use_synthetic_data:
        origin = AUTO if hparams.eval_split == AUTO else hparams.origin('eval_split')
        split = evaluation_split(hparams.data_dir, hparams.eval_split, hparams.fold)
        hparams = hparams.with_values(origin, eval_split=split)
    return hparams, run, train_data, eval_data


def _stored_alike(data: Split, run: Run) -> Split:
    """Shrink images that were not converted as those were that the run trains on."""
    if isinstance(data, Listing | ExternalRecords):
        stored = {'max_edge': run.stored_max_edge, 'quality': run.stored_quality}
        return dataclasses.replace(data, **stored)
    return data


def _with_colors_of(hparams: HParams, saved: Set | None) -> HParams:
    """Keep colours for a run of an earlier version, which has never seen others."""
    is_silent = saved is not None and 'keep_colors' not in saved
    reads_files = hparams.train_metadata or hparams.eval_metadata
    if is_silent and reads_files and hparams.origin('keep_colors') == 'default':
        origin = 'a run of an earlier version'
        return hparams.with_values(origin, keep_colors=BEFORE.keep_colors)
    return hparams


def _open_to_train(hparams: HParams, saved: Set | None, sources: Sources) -> Split:
    """Open what a run trains on, with the labels that it kept if they number the same classes.

    Earlier versions sorted the folders of numbered classes as texts.
    """
    data = open_data(hparams, sources, (), training=True)
    kept = kept_metadata(saved, ('class_names',)).class_names
    if isinstance(data, Listing) and len(kept) == len(data.class_names):
        forms = [{normalize('NFC', name) for name in names} for names in (kept, data.class_names)]
        return relabel(data, kept, 'the run') if forms[0] == forms[1] else data
    return data


def open_data(
    params: HParams, sources: Sources, class_names: tuple[str, ...], training: bool
) -> Split:
    """Open what a run trains or evaluates on: Manifest, ExternalRecords, Listing, SyntheticImages.

    Args:
      params: the run's HParams.
      sources: of images as they are, by name.
      class_names: of the run, in the order of labels; they number direct sources. () takes theirs.
      training: which of the two.

    Raises:
      ConfigError: there is no such data.
      DataError: it is damaged, or holds classes that the run does not know.
    """
    data = params.take(DataOptions)
    if data.use_synthetic_data:
        # Late, because it imports TensorFlow.
        from library.inputs.synthetic import SyntheticImages

        names = tuple(f'class {label}' for label in range(data.synthetic_classes))
        return SyntheticImages(names, data.synthetic_examples)
    metadata = data.train_metadata if training else data.eval_metadata
    if metadata:
        opened = open_metadata(metadata, sources, training, params, class_names)
        return _renumbered(opened, class_names)
    if data.train_metadata or data.eval_metadata:
        missing = 'train' if training else 'eval'
        raise ConfigError(f'--{missing}_metadata is missing: give both, or none')
    if training:
        if data.fold:
            return open_other_folds(data.data_dir, data.fold)
        return open_split(data.data_dir, 'train')
    if data.eval_split != AUTO and not is_split_name(data.eval_split):
        raise ConfigError(f'--eval_split {data.eval_split}: not the name of a split')
    return open_split(data.data_dir, evaluation_split(data.data_dir, data.eval_split, data.fold))


def _warn_of_shared(train: Split, evaluation: Split) -> None:
    """Warn where images are evaluated that are trained on, as of one folder without splits."""
    if isinstance(train, Listing) and isinstance(evaluation, Listing):
        trained = {image.content for image in train.images if isinstance(image.content, str)}
        shared = sum(image.content in trained for image in evaluation.images)
        if shared:
            print(
                f'warning: {shared} of the {evaluation.examples} images to evaluate on are trained '
                f'on too, so what is measured is memory',
                file=sys.stderr,
            )


def _by_name(data: Split, class_names: tuple[str, ...]) -> Split:
    """Number converted images of another data set as the run does, if it knows all their classes.

    An evaluation of such a set counts the classes that the set lacks as classes without images.
    """
    own = data.class_names
    if not isinstance(data, Manifest) or own == class_names or not set(own) <= set(class_names):
        return data
    lacking = [name for name in class_names if name not in own]
    lacks = f', without {", ".join(lacking[:5])}{" ..." if len(lacking) > 5 else ""}'
    print(
        f'{data.folder} has its classes by name: {len(own)} of the {len(class_names)} that the run '
        f'knows{lacks if lacking else ", in another order"}'
    )
    return data.renumbered(class_names)


def _renumbered(split: Any, class_names: tuple[str, ...]) -> Split:
    """Give a direct source the labels of the run; converted images have theirs in the records."""
    if not class_names or isinstance(split, Manifest):
        return split
    if isinstance(split, Listing):
        return relabel(split, class_names, 'the training data')
    if split.keys.kind == NAME:
        unknown = [name for name in split.class_names if name not in class_names]
        if unknown:
            raise DataError(
                f'{split.folder}: holds classes that the training data does not name: '
                f'{", ".join(map(repr, unknown[:5]))}'
            )
        return split.renamed(class_names)
    if len(split.class_names) > len(class_names):
        raise DataError(
            f'{split.folder}: holds the label {len(split.class_names) - 1}, but there are '
            f'{len(class_names)} classes'
        )
    for label, (own, known) in enumerate(zip(split.class_names, class_names, strict=False)):
        # Where the records name no class its number stands for it.
        if own != known and str(label) not in (own, known):
            raise DataError(
                f'{split.folder}: label {label} is {own!r}, but {known!r} in the training data'
            )
    return dataclasses.replace(split, class_names=class_names)
