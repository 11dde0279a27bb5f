"""One graph in one session, from encoded images to names."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import run
from library.errors import MismatchError
from library.modes.checkpoint_choice import chosen_checkpoint
from library.modes.serving.graph import ServingGraph
from tests.conftest import COLORS


def experiment_of(folder, *words):
    return run.open_experiment(['export', '--model_dir', str(folder), *words])


@pytest.fixture(scope='module')
def trained(launch, tmp_path_factory):
    """A run with moving averages, which stand in for the weights."""
    folder = tmp_path_factory.mktemp('trained')
    assert launch(folder, epochs_between_evals=2, moving_average_decay=0.5) == 0
    return folder


@pytest.fixture(scope='module')
def graph(trained):
    experiment = experiment_of(trained / 'checkpoints')
    with ServingGraph(
        experiment, chosen_checkpoint(experiment.hparams, experiment.run.run_id)
    ) as graph:
        yield graph


@pytest.fixture(scope='module')
def photos(data_dir):
    return [(data_dir / 'images' / 'test' / name / '0.jpg').read_bytes() for name in COLORS]


def test_classes_come_best_first_with_their_probabilities(graph, photos):
    classes, probabilities = graph.predict(photos)
    assert classes.shape == probabilities.shape == (3, 3)
    assert {name.decode() for name in classes[0]} == set(COLORS)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (np.diff(probabilities, axis=1) <= 0).all()
    by_label = graph.session.run(graph.by_label, {graph.image_bytes: photos})
    np.testing.assert_array_equal(np.sort(by_label, axis=1)[:, ::-1], probabilities)
    names = np.array(sorted(COLORS))[np.argmax(by_label, axis=1)]
    assert [name.decode() for name in classes[:, 0]] == names.tolist()


def test_images_may_be_fed_as_the_model_takes_them(graph, photos):
    feed = {graph.image_bytes: photos}
    images, features, expected = graph.session.run(
        [graph.images, graph.features, graph.probabilities], feed
    )
    assert images.dtype == np.float32
    assert 0 <= images.min() <= images.max() <= 1
    assert features.shape == (3, 8)
    again = graph.session.run(graph.probabilities, {graph.images: images})
    np.testing.assert_allclose(again, expected, rtol=1e-6)


def test_the_next_call_builds_nothing(graph, photos):
    graph.predict(photos)
    before = len(graph.graph.get_operations())
    graph.predict(photos[:1])
    assert len(graph.graph.get_operations()) == before


def test_a_checkpoint_of_another_model_is_refused(trained):
    experiment = experiment_of(trained / 'checkpoints', '--hidden_units', '4')
    with pytest.raises(MismatchError, match='the checkpoint holds no '):
        ServingGraph(experiment, chosen_checkpoint(experiment.hparams, experiment.run.run_id))


def test_a_graph_that_cannot_be_built_leaves_no_session(trained, monkeypatch):
    closed = []

    class Session(tf.compat.v1.Session):
        def close(self):
            closed.append(self)
            super().close()

    monkeypatch.setattr(tf.compat.v1, 'Session', Session)
    experiment = experiment_of(trained / 'checkpoints')
    with pytest.raises(MismatchError):
        ServingGraph(experiment, str(trained / 'checkpoints' / 'model.ckpt-999'))
    assert len(closed) == 1
    monkeypatch.setattr(ServingGraph, '_restore', None)
    with pytest.raises(TypeError):
        ServingGraph(experiment, chosen_checkpoint(experiment.hparams, experiment.run.run_id))
    assert len(closed) == 2


def test_the_step_is_that_of_the_checkpoint(graph, trained):
    checkpoint = tf.train.latest_checkpoint(trained / 'checkpoints')
    assert graph.global_step == int(checkpoint.rpartition('-')[2]) > 0
