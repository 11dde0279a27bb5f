"""Training with --export_best."""

from __future__ import annotations

import json
import shutil

import pytest

from library.errors import ConfigError, MismatchError, ResourceError
from library.modes.exporting import parity, parity_check
from library.modes.serving.saved import SavedModelGraph
from tests.served import versions


def records(export_dir):
    return [json.loads((path / 'export.json').read_text()) for path in versions(export_dir)]


def best(folder):
    return json.loads((folder / 'best' / 'best.json').read_text())['snapshots'][0]


@pytest.fixture(scope='module')
def trained(launch, tmp_path_factory):
    """A run on kept features whose bests were exported, three evaluations long."""
    folder = tmp_path_factory.mktemp('exporting')
    flags = {'export_best': None, 'export_dir': folder / 'models', 'cache_features': None}
    assert launch(folder, train_epochs=3, **flags) == 0
    return folder


def test_every_new_best_is_exported(trained):
    history = (trained / 'checkpoints' / 'eval' / 'history.jsonl').read_text().splitlines()
    losses = [json.loads(line)['average_loss'] for line in history]
    bests = [loss for n, loss in enumerate(losses) if loss < min(losses[:n], default=float('inf'))]
    found = records(trained / 'models')
    assert [each['best_value'] for each in found] == pytest.approx(bests)
    assert found[-1]['global_step'] == best(trained)['global_step']
    assert found[-1]['checkpoint'] == str(trained / 'best' / best(trained)['checkpoint'])
    # On features, this is a run without images; what is served takes images.
    with SavedModelGraph(str(trained / 'models')) as model:
        assert set(model.signatures) == {'serving_default', 'images', 'features'}


def test_the_images_that_exports_are_tried_on_are_read_once(launch, tmp_path, monkeypatch):

    reads, read = [], parity_check.stored_files
    monkeypatch.setattr(
        parity_check, 'stored_files', lambda *args: reads.append(args) or read(*args)
    )
    flags = {'export_best': None, 'export_dir': tmp_path / 'models', 'model': 'simple'}
    assert launch(tmp_path, train_epochs=3, image_size=32, epochs_between_evals=1, **flags) == 0
    assert len(versions(tmp_path / 'models')) > 1
    assert len(reads) == 1


def test_what_a_kill_prevented_is_made_up_for(launch, trained, tmp_path, capsys):
    folder = shutil.copytree(trained, tmp_path / 'run')
    newest = versions(folder / 'models')[-1]
    shutil.rmtree(newest)
    flags = {'export_best': None, 'export_dir': folder / 'models', 'cache_features': None}
    for _ in range(2):
        capsys.readouterr()
        assert launch(folder, train_epochs=3, **flags) == 0
        after = capsys.readouterr().out
    assert len(versions(folder / 'models')) == len(versions(trained / 'models'))
    assert records(folder / 'models')[-1]['best_value'] == best(folder)['value']
    assert 'exported to' not in after


def test_an_export_that_fails_is_reported_at_once_and_as_the_error_of_the_run(
    launch, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(parity, 'TOLERANCE', -1.0)
    flags = {'export_best': None, 'export_dir': tmp_path / 'models', 'model': 'simple'}
    with pytest.raises(MismatchError, match='serving_default: differs'):
        launch(tmp_path, train_epochs=2, image_size=32, **flags)
    out = capsys.readouterr().out
    assert 'warning: step 4 is not exported: serving_default: differs from the checkpoint' in out
    assert 'best: step' in out
    assert (tmp_path / 'checkpoints' / 'model.ckpt-8.index').exists()
    assert versions(tmp_path / 'models') == []


def test_a_folder_that_cannot_be_is_reported_before_the_training(launch, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(ConfigError, match='a file, not a folder'):
        launch(tmp_path, export_best=None, export_dir=tmp_path / 'file')
    with pytest.raises(ResourceError, match='tensorflow-io'):
        launch(tmp_path, export_best=None, export_dir='hdfs://models')
    assert not list((tmp_path / 'checkpoints').glob('model.ckpt-*'))
