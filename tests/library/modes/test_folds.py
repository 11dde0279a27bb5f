"""Cross-validation: a run for each fold, and what compare says of them."""

from __future__ import annotations

import json
import re

import pytest

import convert_dataset
import run
from library.errors import ConfigError, MismatchError
from tests.conftest import draw_images

pytestmark = pytest.mark.train


@pytest.fixture(scope='module')
def folds(tmp_path_factory):
    """Three folds of eight images of each class, and a test split apart."""
    root = tmp_path_factory.mktemp('folds')
    images = draw_images(root / 'images', per_class=32)
    words = ['--dataset_dir', images, '--tfrecord_dir', root / 'data', '--max_edge', 32]
    words += ['--splits', 'train=0.75,test=0.25', '--folds', 3, '--workers', 1]
    assert convert_dataset.main([str(word) for word in words]) == 0
    return root / 'data'


def test_each_run_leaves_its_fold_out_and_compare_sums_them_up(launch, folds, tmp_path, capsys):
    for fold in (1, 2, 3):
        flags = {'data_dir': folds, 'fold': fold, 'train_epochs': 1, 'train_batch_size': 8}
        assert launch(tmp_path / f'fold{fold}', **flags) == 0
    out = capsys.readouterr().out
    assert out.count('48 images of 3 classes to train on') == 3
    # The fold is one of the values that a run keeps; another split can be named.
    assert launch(tmp_path / 'fold2', 'evaluate') == 0
    metrics = tmp_path / 'fold2' / 'checkpoints' / 'eval' / 'metrics.json'
    found = json.loads(metrics.read_text())
    assert (found['split'], found['examples']) == ('fold2', 24)
    assert launch(tmp_path / 'fold2', 'evaluate', eval_split='test', validation_name='t') == 0
    seen = r'its training leaves out fold 2 alone, so --fold 1 would evaluate on what it has seen'
    for mode, flags in (('evaluate', {}), ('train', {'data_dir': folds, 'train_epochs': 2})):
        with pytest.raises(MismatchError, match=seen):
            launch(tmp_path / 'fold2', mode, fold=1, **flags)
    capsys.readouterr()
    assert run.main(['compare', str(tmp_path)]) == 0
    table = capsys.readouterr().out
    assert re.search(
        r'^folds 1, 2, 3: accuracy [01]\.\d{4}, standard deviation [01]\.\d{4}$',
        table,
        flags=re.MULTILINE,
    )


def test_a_fold_that_is_not_there_is_named(launch, folds, tmp_path):
    with pytest.raises(ConfigError, match=r'fold4: no converted images; .* \(--fold\)$'):
        launch(tmp_path, data_dir=folds, fold=4)
