"""The code of docs/moving_on.md carries a trained model over to tf.keras, without this project."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest

from tests.conftest import ROOT

_FILE = ROOT / 'docs' / 'moving_on.md'
PAGE = _FILE.read_text() if _FILE.exists() else ''
_DELETED = pytest.mark.skipif(not PAGE, reason='the owner has deleted the page')
pytestmark = [pytest.mark.train, _DELETED]
CODE = re.compile(r'^```python\n# (\w+)\.py\n(.*?)^```', flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope='module')
def pages_code(tmp_path_factory):
    """Imports a module of the page by its name."""
    folder = tmp_path_factory.mktemp('code')
    for name, code in CODE.findall(PAGE):
        (folder / f'{name}.py').write_text(code)
    sys.path.insert(0, str(folder))
    yield __import__
    sys.path.remove(str(folder))
    for name, _ in CODE.findall(PAGE):
        sys.modules.pop(name, None)


@pytest.fixture(scope='module')
def runs(trained_copy, tmp_path_factory):
    """The folders of a run on a frozen module, and of one that fine-tunes it; both evaluated."""
    found = {}
    for name, flags in (('frozen', {}), ('fine_tuned', {'fine_tuning': None})):
        found[name] = tmp_path_factory.mktemp(name)
        trained_copy(found[name], train_epochs=1, **flags)
    return found


@pytest.fixture(scope='module')
def exported(launch, runs, tmp_path_factory):
    """The folder of an exported version of the fine-tuned run."""
    folder = tmp_path_factory.mktemp('exported')
    assert launch(runs['fine_tuned'], 'export', export_dir=folder) == 0
    (version,) = (each for each in folder.iterdir() if each.name.isdigit())
    return version


def last_evaluation(run):
    return json.loads((run / 'checkpoints' / 'eval' / 'history.jsonl').read_text().splitlines()[-1])


@pytest.mark.parametrize('name', ['frozen', 'fine_tuned'])
def test_in_keras_a_run_has_the_loss_and_accuracy_of_its_own_evaluation(
    runs, name, pages_code, module_dir, data_dir
):
    module = pages_code('evaluate_in_keras')
    shards = str(data_dir / 'test' / 'test-*')
    loss, accuracy = module.evaluate(str(runs[name] / 'checkpoints'), str(module_dir), 32, shards)
    expected = last_evaluation(runs[name])
    assert loss == pytest.approx(expected['average_loss'], rel=1e-5)
    assert accuracy == pytest.approx(expected['accuracy'])


def test_a_run_goes_on_training_in_keras(runs, pages_code, module_dir, data_dir):
    model = pages_code('to_keras').to_keras(
        str(runs['frozen'] / 'checkpoints'), str(module_dir), 32
    )
    batches = pages_code('records').evaluation_batches(str(data_dir / 'train' / 'train-*'), 32, 8)
    model.compile('sgd', 'sparse_categorical_crossentropy')
    before = [weight.numpy() for weight in model.trainable_weights]
    model.fit(batches, verbose=0)
    assert len(before) > 2
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert not np.array_equal(weight.numpy(), old)


def test_an_export_answers_as_the_same_weights_do_in_keras(
    runs, exported, pages_code, module_dir, data_dir
):
    paths = sorted((data_dir / 'images' / 'test').rglob('*.jpg'))
    predictions = pages_code('classify').classify(str(exported), [str(path) for path in paths])
    assert [path for path, _, _ in predictions] == [str(path) for path in paths]
    run = str(runs['fine_tuned'] / 'checkpoints')
    model = pages_code('to_keras').to_keras(run, str(module_dir), 32)
    batches = pages_code('records').evaluation_batches(str(data_dir / 'test' / 'test-*'), 32, 32)
    (images, _), *others = list(batches)
    assert others == []
    import tensorflow as tf

    shares = tf.nn.softmax(model(images)).numpy()
    told = sorted((name, share) for _, name, share in predictions)
    names = ('blue', 'green', 'red')
    expected = sorted((names[row.argmax()], row.max()) for row in shares)
    assert [name for name, _ in told] == [name for name, _ in expected]
    np.testing.assert_allclose([s for _, s in told], [s for _, s in expected], atol=1e-5)


def test_a_new_head_learns_on_the_features_of_an_export(exported, pages_code, data_dir):
    model = pages_code('on_features').on_features(str(exported), 32, 3)
    batches = pages_code('records').evaluation_batches(str(data_dir / 'train' / 'train-*'), 32, 8)
    model.compile('adam', 'sparse_categorical_crossentropy')
    model.fit(batches, verbose=0)
    assert [tuple(weight.shape) for weight in model.trainable_weights] == [(8, 3), (3,)]
    assert model.output_shape == (None, 3)
