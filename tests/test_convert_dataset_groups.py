"""convert_dataset.py with images that belong together: groups and folds."""

from __future__ import annotations

import csv
import random
from collections import defaultdict

import numpy as np
import pytest
from PIL import Image

from library.errors import ConfigError, DataError
from library.records.manifest import read_manifest
from library.records.split_folders import open_other_folds, open_split
from tests.converting import convert, flags

pytestmark = pytest.mark.unit

FRACTIONS = 'train=0.75,test=0.25'


@pytest.fixture
def patients(tmp_path):
    """Twelve patients, half of them ill, with four pictures each."""
    labels = ['ill', 'well'] * 6
    random.Random(3).shuffle(labels)
    for number, label in enumerate(labels):
        folder = tmp_path / 'images' / label
        folder.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number)
        for shot in range(4):
            pixels = noise.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f'p{number:02d}_{shot}.jpg')
    return tmp_path / 'images'


def said(capsys, *words):
    status, out, error = convert(capsys, *words)
    assert (status, error) == (0, '')
    return out.splitlines()


def several(images, output, **others):
    return flags(images, output, tfrecord_filename=None, **others)


def splits_of_patients(output):
    """Patient to the splits that hold a picture of it."""
    found = defaultdict(set)
    for split in output.iterdir():
        if split.is_dir():
            with open(split / f'{split.name}.images.csv', newline='') as file:
                for row in csv.DictReader(file):
                    found[row['file'].split('/')[1][:3]].add(split.name)
    return found


def test_without_groups_a_series_in_two_splits_is_a_warning(patients, tmp_path, capsys):
    lines = said(capsys, *several(patients, tmp_path / 'out', splits=FRACTIONS))
    assert any(len(splits) > 1 for splits in splits_of_patients(tmp_path / 'out').values())
    (warning,) = (line for line in lines if line.startswith('warning: images that look like'))
    assert 'series are in two splits, so a test may measure memory: ' in warning
    assert '(--group_by keeps each series in one split)' in warning


@pytest.mark.parametrize('split_by', ['exact', 'hash'])
def test_no_patient_is_in_two_splits(patients, tmp_path, capsys, split_by):
    words = several(
        patients, tmp_path / 'out', splits=FRACTIONS, split_by=split_by, group_by=r'(p\d+)_'
    )
    lines = said(capsys, *words)
    assert 'groups: 12, each in one split' in lines
    found = splits_of_patients(tmp_path / 'out')
    assert len(found) == 12
    assert {len(splits) for splits in found.values()} == {1}
    if split_by == 'exact':
        manifest = read_manifest(str(tmp_path / 'out' / 'test'))
        # A quarter of 24 is six: one patient or two of each class.
        assert set(manifest.examples_per_class.values()) <= {4, 8}


def test_a_column_of_a_csv_file_groups_as_well(patients, tmp_path, capsys):
    table = tmp_path / 'table.csv'
    with open(table, 'w', newline='') as file:
        rows = csv.writer(file)
        rows.writerow(['path', 'label', 'patient'])
        for path in sorted(patients.glob('*/*.jpg')):
            rows.writerow([path.relative_to(tmp_path), path.parent.name, path.name[:3]])
    words = several(table, tmp_path / 'out', splits=FRACTIONS, group_column='patient')
    assert 'groups: 12, each in one split' in said(capsys, *words)
    with open(tmp_path / 'out' / 'train' / 'train.images.csv', newline='') as file:
        trained = {row['file'].split('/')[2][:3] for row in csv.DictReader(file)}
    with open(tmp_path / 'out' / 'test' / 'test.images.csv', newline='') as file:
        tested = {row['file'].split('/')[2][:3] for row in csv.DictReader(file)}
    assert len(trained) + len(tested) == 12
    assert not trained & tested


def test_a_second_run_moves_no_group_and_newcomers_join_theirs(patients, tmp_path, capsys):
    words = several(patients, tmp_path / 'out', splits=FRACTIONS, group_by=r'(p\d+)_')
    said(capsys, *words)
    before = splits_of_patients(tmp_path / 'out')
    for folder in patients.iterdir():
        for number, path in enumerate(sorted(folder.iterdir())[::4]):
            Image.new('RGB', (16, 16), (40 * number, 50 * len(folder.name), 9)).save(
                folder / f'{path.name[:3]}_9.jpg'
            )
    said(capsys, *words)
    assert splits_of_patients(tmp_path / 'out') == before


def test_groups_that_the_data_set_has_torn_are_a_warning(patients, tmp_path, capsys):
    divided = tmp_path / 'divided'
    for path in patients.glob('*/*.jpg'):
        split = 'test' if path.stem.endswith('_3') else 'train'
        (divided / split / path.parent.name).mkdir(parents=True, exist_ok=True)
        path.rename(divided / split / path.parent.name / path.name)
    words = several(
        divided, tmp_path / 'out', splits='train=0.7,validation=0.3', group_by=r'(p\d+)_'
    )
    lines = said(capsys, *words)
    assert any(
        line.startswith('warning: 12 of 12 groups are in two splits, as the data set has them: p00')
        for line in lines
    )


def test_folds_share_out_the_patients_and_leave_the_test_set_apart(patients, tmp_path, capsys):
    output = tmp_path / 'out'
    words = several(patients, output, splits=FRACTIONS, folds=3, group_by=r'(p\d+)_')
    said(capsys, *words)
    assert {len(splits) for splits in splits_of_patients(output).values()} == {1}
    folds = [open_split(str(output), f'fold{number}') for number in (1, 2, 3)]
    test = open_split(str(output), 'test')
    assert sum(fold.examples for fold in folds) + test.examples == 48
    others = open_other_folds(str(output), 2)
    assert others.examples == folds[0].examples + folds[2].examples
    assert others.label_counts == tuple(
        one + other for one, other in zip(folds[0].label_counts, folds[2].label_counts, strict=True)
    )
    assert others.shard_paths == folds[0].shard_paths + folds[2].shard_paths


def test_folds_divide_the_training_images_of_a_data_set_with_splits(patients, tmp_path, capsys):
    divided = tmp_path / 'divided'
    for path in patients.glob('*/*.jpg'):
        split = 'test' if path.stem < 'p04' else 'train'
        (divided / split / path.parent.name).mkdir(parents=True, exist_ok=True)
        path.rename(divided / split / path.parent.name / path.name)
    said(capsys, *several(divided, tmp_path / 'out', folds=2, group_by=r'(p\d+)_'))
    names = {path.name for path in (tmp_path / 'out').iterdir() if path.is_dir()}
    assert names == {'fold1', 'fold2', 'test'}
    assert open_split(str(tmp_path / 'out'), 'test').examples == 16


def test_folds_of_two_conversions_do_not_go_together(patients, tmp_path, capsys):
    for seed in (0, 1):
        output = tmp_path / f'out{seed}'
        said(capsys, *several(patients, output, folds=2, random_seed=seed))
    (tmp_path / 'out0' / 'fold2').rename(tmp_path / 'away')
    (tmp_path / 'out1' / 'fold2').rename(tmp_path / 'out0' / 'fold2')
    with pytest.raises(DataError, match='is of another conversion than'):
        open_other_folds(str(tmp_path / 'out0'), 1)


@pytest.mark.parametrize('name', ['fold3', 'train'])
def test_what_is_missing_beside_folds_leads_to_the_option(patients, tmp_path, capsys, name):
    said(capsys, *several(patients, tmp_path / 'out', folds=2))
    with pytest.raises(ConfigError, match=r'out holds fold1, fold2 \(--fold\)'):
        open_split(str(tmp_path / 'out'), name)


def test_a_place_that_was_divided_by_hash_stays_so_unless_asked(patients, tmp_path, capsys):
    words = several(patients, tmp_path / 'out', splits=FRACTIONS)
    said(capsys, *words, '--split_by', 'hash')
    before = (tmp_path / 'out' / 'test' / 'test.images.csv').read_text()
    said(capsys, *words)
    manifest = read_manifest(str(tmp_path / 'out' / 'test'))
    assert manifest.options['split_by'] == 'hash'
    assert (tmp_path / 'out' / 'test' / 'test.images.csv').read_text() == before
    said(capsys, *several(patients, tmp_path / 'other', splits=FRACTIONS))
    assert read_manifest(str(tmp_path / 'other' / 'test')).options['split_by'] == 'exact'
    assert read_manifest(str(tmp_path / 'other' / 'test')).label_counts == (6, 6)
