"""Each mode runs once, on a small data set and module, and leaves what it is for."""

from __future__ import annotations

import json

import pytest

from tests.conftest import draw_images
from tests.converting import convert, flags

pytestmark = [pytest.mark.train, pytest.mark.smoke]


@pytest.fixture(scope='module')
def trained(trained_copy, tmp_path_factory):
    """Two epochs of four steps on the features of a frozen module."""
    return trained_copy(tmp_path_factory.mktemp('smoke'))


def test_convert_dataset_writes_records_and_their_manifest(tmp_path, capsys):
    images = draw_images(tmp_path / 'images', per_class=2)
    assert convert(capsys, *flags(images, tmp_path / 'records'))[0] == 0
    manifest = json.loads((tmp_path / 'records' / 'train.json').read_text())
    assert manifest['class_names'] == ['blue', 'green', 'red']


def test_train_keeps_checkpoints_and_the_best(trained):
    assert (trained / 'checkpoints' / 'model.ckpt-8.index').exists()
    assert (trained / 'best' / 'best.json').exists()


def test_evaluate_writes_metrics(launch, trained):
    assert launch(trained, 'evaluate') == 0
    metrics = json.loads((trained / 'checkpoints' / 'eval' / 'metrics.json').read_text())
    assert (metrics['global_step'], metrics['examples']) == (8, 15)


def test_predict_has_a_line_for_each_image(launch, trained, tmp_path):
    images = draw_images(tmp_path / 'images', per_class=1)
    predictions = tmp_path / 'predictions.csv'
    given = {'predict_input': images, 'predict_output': predictions}
    assert launch(trained, 'predict', **given) == 0
    assert len(predictions.read_text().splitlines()) == 4


def test_export_writes_a_model_for_serving(launch, trained, tmp_path):
    assert launch(trained, 'export', export_dir=tmp_path / 'models') == 0
    (model,) = tmp_path.glob('models/*/saved_model.pb')
    assert model.stat().st_size > 0


def test_compare_shows_the_run(trained, capsys):
    import run

    assert run.main(['compare', str(trained)]) == 0
    assert 'checkpoints' in capsys.readouterr().out


def test_preview_draws_what_the_model_sees(launch, trained, data_dir, module_dir, tmp_path):
    given = {'data_dir': data_dir, 'model': 'hub', 'module': module_dir}
    given |= {'preview_images': 4, 'preview_file': tmp_path / 'shown.png'}
    assert launch(tmp_path, 'preview', **given) == 0
    assert (tmp_path / 'shown.png').stat().st_size > 0
