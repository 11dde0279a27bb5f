"""Pictures that are not square, under each --fit: all that a run does sees the same pixels."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from library.inputs.options import CROP, FITS, PAD, SQUEEZE
from library.modes.checkpoint_choice import chosen_checkpoint
from library.modes.exporting.parity import in_label_order
from library.modes.serving.graph import ServingGraph
from library.modes.serving.saved import SavedModelGraph
from tests.conftest import SIZE
from tests.served import experiment_of, stored, versions

SIMPLE = {'model': 'simple', 'image_size': SIZE, 'no_augmentation': None, 'dropout_rate': 0}
LINE = '67 % of each evaluation picture is cut away: --fit pad or squeeze\n'


@pytest.fixture(scope='module')
def trained(trained_copy, wide_data_dir, tmp_path_factory):
    """A run for each fit, on features of a module."""

    def make(fit):
        flags = {'data_dir': wide_data_dir, 'no_augmentation': None, 'fit': fit}
        return trained_copy(tmp_path_factory.mktemp(fit), **flags)

    return {fit: make(fit) for fit in FITS}


def evaluated(experiment):
    """The pixels of the evaluation: uint8 [images, size, size, 3]."""
    batches = experiment.batches(tf.estimator.ModeKeys.EVAL)()
    return np.concatenate([features['image'].numpy() for features, _ in batches])


@pytest.mark.parametrize(('fit', 'knows'), [(CROP, False), (SQUEEZE, True), (PAD, True)])
def test_a_class_that_shows_at_the_end_of_a_picture_is_learned_where_it_is_seen(
    launch, wide_data_dir, tmp_path, capsys, fit, knows
):
    lengths = {'train_epochs': 20, 'epochs_between_evals': 20}
    assert launch(tmp_path, data_dir=wide_data_dir, fit=fit, **lengths, **SIMPLE) == 0
    out = capsys.readouterr().out
    history = (tmp_path / 'checkpoints' / 'eval' / 'history.jsonl').read_text()
    accuracy = json.loads(history.splitlines()[-1])['accuracy']
    assert accuracy == 1 if knows else accuracy < 0.6
    assert (LINE in out) != knows


def test_nothing_is_said_of_square_pictures_nor_of_noise(launch, tmp_path, capsys):
    lengths = {'train_epochs': 1, 'fit': CROP}
    assert launch(tmp_path / 'square', **lengths, **SIMPLE) == 0
    assert launch(tmp_path / 'noise', use_synthetic_data=None, **lengths, **SIMPLE) == 0
    out = capsys.readouterr().out
    assert out.count('images of ') == 2
    assert 'cut away' not in out


def test_evaluation_sees_a_square_the_whole_squeezed_or_the_whole_on_grey(trained):
    seen = {
        fit: evaluated(experiment_of(folder / 'checkpoints', 'evaluate')).astype(int)
        for fit, folder in trained.items()
    }
    # Colours are apart by 160 of 255 and more, the grey noise has none.
    colourful = {fit: np.ptp(images, axis=3) > 60 for fit, images in seen.items()}
    assert not colourful[CROP].any()
    columns = np.flatnonzero(colourful[SQUEEZE].all(axis=(0, 1)))
    assert columns.tolist() == list(range(8))
    rows = np.flatnonzero((seen[PAD] != 128).any(axis=(0, 2, 3)))
    # 32 of 96 are 11 of 32 (10.7), below 10 rows of grey.
    assert rows.tolist() == list(range(10, 21))
    assert colourful[PAD][:, 10:21, :7].all()
    assert not colourful[PAD][:, :, 9:].any()


@pytest.mark.parametrize('fit', FITS)
def test_a_model_is_served_the_pixels_of_its_evaluation(launch, trained, tmp_path, fit):
    folder = trained[fit]
    experiment = experiment_of(folder / 'checkpoints')
    assert experiment.hparams.origin('fit').endswith(f'hparams.yaml:{line_of(folder, "fit")}')
    pixels, encoded = evaluated(experiment), stored(experiment)
    checkpoint = chosen_checkpoint(experiment.hparams, experiment.run.run_id)
    with ServingGraph(experiment, checkpoint) as graph:
        fed = graph.session.run(graph.images, {graph.image_bytes: encoded})
        by_label = graph.session.run(graph.by_label, {graph.images: pixels / np.float32(255)})
    np.testing.assert_array_equal(np.round(fed * 255).astype(np.uint8), pixels)
    assert launch(folder, 'export', export_dir=tmp_path / 'models') == 0
    with SavedModelGraph(str(versions(tmp_path / 'models')[0])) as model:
        said = in_label_order(*([each] for each in model.predict(encoded)), class_names(experiment))
    np.testing.assert_allclose(said, by_label, atol=1e-6)


@pytest.mark.parametrize('fit', FITS)
def test_evaluation_prediction_and_kept_features_agree(
    launch, trained, wide_data_dir, tmp_path, fit
):
    folder = trained[fit]
    losses = []
    for words in ({}, {'cache_features': None}):
        assert launch(folder, 'evaluate', **words) == 0
        metrics = (folder / 'checkpoints' / 'eval' / 'metrics.json').read_text()
        losses.append(json.loads(metrics)['average_loss'])
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    output = tmp_path / 'predictions.jsonl'
    photos = wide_data_dir / 'images' / 'test'
    assert launch(folder, 'predict', predict_input=photos, predict_output=output, top_k=3) == 0
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    right = [
        next(p['probability'] for p in row['predictions'] if f'/{p["class"]}/' in row['file'])
        for row in rows
    ]
    assert len(right) == 15
    assert -np.mean(np.log(right)) == pytest.approx(losses[0], rel=1e-4)


def line_of(folder, name):
    lines = (folder / 'checkpoints' / 'hparams.yaml').read_text().splitlines()
    return 1 + next(n for n, line in enumerate(lines) if line.startswith(f'{name}:'))


def class_names(experiment):
    return [name.encode() for name in experiment.run.class_names]
