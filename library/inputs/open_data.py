"""Open the data of a run: converted images, images as they are, or noise."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from typing import Any
from unicodedata import normalize

from library import files
from library.config.hparams import HParams
from library.config.yaml_sets import Set
from library.errors import ConfigError, DataError
from library.inputs.foreign_records import describe
from library.inputs.options import DataOptions
from library.preparation.image_files import is_archive
from library.preparation.labels import relabel
from library.preparation.options import SourceOptions, TableOptions
from library.preparation.output import Output, wrote
from library.preparation.sources.registry import Sources, find_source, source_class
from library.records.example_keys import NAME
from library.records.external import read_external
from library.records.listing import (
    LabelledImage,
    Listing,
    Remark,
    Split,
    Unusable,
    check_one_label,
    is_split_name,
)
from library.records.manifest import Manifest, check_same_classes, check_whole, read_manifest
from library.records.split_folders import evaluation_split, open_other_folds, open_split
from library.runs.metadata import (
    Run,
    check_fold,
    kept_metadata,
    metadata_of,
    metadata_without_data,
)

# Images of a direct source that may be unusable, as when converting.
MAX_BAD_FRACTION = 0.1
# Names in one line.
SHOWN = 10

# Files that a pattern such as train* means: TFRecords by their ending or by their numbering.
_RECORD_FILE = re.compile(r'.*(\.(tfrecords?|tfrec)|-\d{5}-of-\d{5})', re.DOTALL)

# Endings of tables of images, which are given alone.
TABLES = ('.csv', '.jsonl', '.parquet')

_MUST_BE_CONVERTED = '{}: must be converted first (convert_dataset.py --dataset_dir)'


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
      The HParams with the evaluation split; class names, run id and what else the data tell;
      training data; evaluation data.

    Raises:
      ConfigError: there is no such data.
      DataError: it is damaged, or the two hold different classes.
      MismatchError: the run was trained on other classes, or on the fold to evaluate.
    """
    if not training:
        check_fold(hparams, saved)
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
    if not hparams.eval_metadata and not hparams.use_synthetic_data:
        origin = 'auto' if hparams.eval_split == 'auto' else hparams.origin('eval_split')
        split = evaluation_split(hparams.data_dir, hparams.eval_split, hparams.fold)
        hparams = hparams.with_values(origin, eval_split=split)
    return hparams, run, train_data, eval_data


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
        opened = _open_metadata(metadata, sources, training, params, class_names)
        return _renumbered(opened, class_names)
    if data.train_metadata or data.eval_metadata:
        missing = 'train' if training else 'eval'
        raise ConfigError(f'--{missing}_metadata is missing: give both, or none')
    if training:
        if data.fold:
            return open_other_folds(data.data_dir, data.fold)
        return open_split(data.data_dir, 'train')
    if data.eval_split != 'auto' and not is_split_name(data.eval_split):
        raise ConfigError(f'--eval_split {data.eval_split}: not the name of a split')
    return open_split(data.data_dir, evaluation_split(data.data_dir, data.eval_split, data.fold))


def _open_metadata(
    metadata: tuple[str, ...],
    sources: Sources,
    training: bool,
    params: HParams,
    known: tuple[str, ...],
) -> Manifest | Listing | Any:
    flag = f'--{"train" if training else "eval"}_metadata'
    # An unquoted DIR/train* is also what a conversion writes beside the shards.
    metadata = tuple(each for each in metadata if not _lies_beside_records(each)) or metadata
    first = metadata[0]
    if len(metadata) == 1 and (_is_table(first) or files.is_folder(first)):
        return _list_images(first, sources, flag, params.take(TableOptions), known)
    paths = sorted({path for pattern in metadata for path in _record_files(pattern, sources, flag)})
    own = _own_records(paths)
    if own is not None:
        return own
    image_key, label_key = params.record_image_key, params.record_label_key
    records = read_external(paths, ', '.join(metadata), image_key, label_key)
    named = image_key is not None and label_key is not None
    for line in describe(records, named, params, training):
        print(line, file=sys.stderr)
    return records


def _is_table(path: str) -> bool:
    return path.lower().endswith(TABLES) and files.exists(path)


def _lies_beside_records(path: str) -> bool:
    """Return True for a file that a conversion wrote and that is no shard."""
    return not _RECORD_FILE.fullmatch(path) and wrote(path)


def _record_files(pattern: str, sources: Sources, flag: str) -> list[str]:
    """Find the TFRecord files that a pattern stands for; raises ConfigError if there are none."""
    found = files.matching(pattern)
    paths = [path for path in found if _RECORD_FILE.fullmatch(path) and not files.is_folder(path)]
    if paths:
        return paths
    if files.is_folder(pattern) or _is_table(pattern):
        raise ConfigError(f'{pattern}: a folder or CSV file is given alone ({flag})')
    if files.exists(pattern) and is_archive(pattern):
        raise ConfigError(f'{pattern}: an archive; unpack it first, and give the folder ({flag})')
    if files.exists(pattern) and any(source_class(sources, name).fits(pattern) for name in sources):
        raise ConfigError(_MUST_BE_CONVERTED.format(pattern))
    raise ConfigError(f'{pattern}: no TFRecord files, CSV file or folder of images ({flag})')


def _own_records(paths: list[str]) -> Manifest | None:
    """Read the manifest beside the files, cut down to them; None where it does not name them all.

    Raises:
      DataError: the files are not whole, by the manifests that there are.
    """
    folders = sorted({os.path.dirname(path) for path in paths})
    manifests = [each for each in map(read_manifest, (name or '.' for name in folders)) if each]
    for manifest in manifests:
        check_whole(manifest)
    if len(folders) > 1 or not manifests:
        return None
    names = {os.path.basename(path) for path in paths}
    shards = tuple(shard for shard in manifests[0].shards if shard.name in names)
    if len(shards) < len(names):
        return None
    part = dataclasses.replace(manifests[0], shards=shards)
    if not part.examples:
        raise DataError(f'{", ".join(paths)}: the shards hold no images')
    return part


def _list_images(
    path: str, sources: Sources, flag: str, table: TableOptions, known: tuple[str, ...]
) -> Listing:
    """List the usable images of a table or folder, of a split for this use if it has any."""
    if files.is_folder(path) and read_manifest(path):
        raise ConfigError(f"{path}: holds converted images: give them as '{path}/*.tfrecord'")
    options = SourceOptions(dataset_dir=path, **vars(table))
    make_source = source_class(sources, find_source(sources, path, options))
    listing = make_source(options, Output('', None), flag, known).listing()
    for remark in listing.remarks:
        print(remark.text, file=sys.stderr)
    check_one_label(listing)
    images = listing.images
    if listing.splits:
        wanted = ('train',) if flag == '--train_metadata' else ('validation', 'test')
        split = next((name for name in wanted if name in listing.splits), None)
        if split is None:
            there = ', '.join(listing.splits)
            raise ConfigError(f'{path}: has no split {" or ".join(wanted)}, only {there} ({flag})')
        images = tuple(image for image in images if image.split == split)
        counts = dataclasses.replace(listing, images=images).label_counts
        empty = [name for name, n in zip(listing.class_names, counts, strict=True) if not n]
        if empty:
            more = f' and {len(empty) - SHOWN} more classes' if len(empty) > SHOWN else ''
            told = f'{split} has no image of {", ".join(empty[:SHOWN])}{more}'
            print(f'warning: {path}: {told}', file=sys.stderr)
    good = tuple(image for image in images if isinstance(image.content, str))
    bad = [image for image in images if isinstance(image.content, Unusable)]
    if len(good) + len(bad) < len(images):
        raise ConfigError(_MUST_BE_CONVERTED.format(path))
    _check_bad(path, bad, len(images), listing.remarks)
    if not good:
        raise DataError(f'{path}: no images')
    # Its last part names the data in metrics.json.
    return dataclasses.replace(listing, images=good, folder=path.rstrip('/') or '/')


def _check_bad(
    path: str, bad: list[LabelledImage], total: int, remarks: tuple[Remark, ...]
) -> None:
    """Say which images are left out.

    Raises:
      DataError: they are too many, or the other files are that count as bad.
    """
    others = sum(remark.bad for remark in remarks)
    if not bad and not others:
        return
    told = [remark.text for remark in remarks if remark.bad]
    if bad:
        reason = bad[0].content.reason if isinstance(bad[0].content, Unusable) else ''
        told.insert(0, f'{bad[0].filename}: {reason}')
    what = 'files' if others else 'images'
    text = f'{path}: {len(bad) + others} of {total + others} {what} cannot be read'
    text += f' ({"; ".join(told)})'
    if (len(bad) + others) / (total + others) > MAX_BAD_FRACTION:
        raise DataError(text)
    print(f'warning: {text}', file=sys.stderr)


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
