"""Exports of trained runs in other formats: each says what the checkpoint says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from library.checkpoints.readable import open_checkpoint
from library.errors import ConfigError
from library.inputs.options import CROP, FITS
from library.models.model import Model
from library.models.module_loading import load_module
from library.modes.exporting.parity_check import take_sample
from library.modes.serving.saved import SavedModelGraph
from project.models.simple import SimpleModel
from tests.conftest import save_tf1
from tests.served import experiment_of, stored, versions

pytestmark = pytest.mark.train

ALL = 'tflite,tflite_dynamic,tflite_int8,hub_module'
CLASSES = {b'blue', b'green', b'red'}
PAGE = Path(__file__).resolve().parents[1] / 'README.md'


@pytest.fixture(scope='module')
def frozen(launch, trained_copy, tmp_path_factory):
    """A run on a module, exported in all formats."""
    lengths = {'train_epochs': 6, 'epochs_between_evals': 6}
    folder = trained_copy(tmp_path_factory.mktemp('frozen'), **lengths)
    flags = {'export_dir': folder / 'models', 'export_formats': ALL, 'min_agreement': 0.6}
    assert launch(folder, 'export', **flags) == 0
    return folder


@pytest.fixture(scope='module')
def version(frozen):
    return versions(frozen / 'models')[0]


@pytest.fixture(scope='module')
def simple(trained_copy, tmp_path_factory):
    return trained_copy(tmp_path_factory.mktemp('simple'), model='simple', image_size=32)


@pytest.fixture(scope='module')
def whole_experiment(frozen, module_dir):
    """The run of `version`."""
    return experiment_of(frozen / 'checkpoints', module=module_dir)


def test_a_version_says_how_near_each_format_comes(version):
    found = json.loads((version / 'export.json').read_text())['parity']
    assert list(found) == ['serving_default', 'images', *ALL.split(',')]
    assert found['tflite']['agreement'] == 1
    assert found['tflite']['largest'] < 1e-4
    assert found['hub_module']['agreement'] is None


def test_a_tflite_model_runs_alone_and_names_classes(version, whole_experiment):
    interpreter = tf.lite.Interpreter(model_path=str(version / 'tflite' / 'int8.tflite'))
    said = interpreter.get_signature_runner('images')(images=np.zeros([2, 32, 32, 3], np.float32))
    assert {*said['classes'][1]} == CLASSES
    assert said['probabilities'].shape == (2, 3)
    inner = [each['dtype'] for each in interpreter.get_tensor_details() if each['shape'].size == 4]
    # All but the images themselves.
    assert [each for each in inner if each == np.float32] == [np.float32]


@pytest.mark.parametrize('fit', FITS)
def test_each_format_agrees_with_evaluation_however_pictures_are_fitted(
    launch, trained_copy, wide_data_dir, tmp_path, fit
):
    flags = {'model': 'simple', 'image_size': 32, 'no_augmentation': None, 'train_epochs': 1}
    trained_copy(tmp_path, data_dir=wide_data_dir, fit=fit, **flags)
    formats = 'tflite,hub_module'
    flags = {'export_dir': tmp_path / 'models', 'export_formats': formats}
    assert launch(tmp_path, 'export', **flags) == 0
    (version,) = versions(tmp_path / 'models')
    found = json.loads((version / 'export.json').read_text())['parity']
    assert list(found) == ['serving_default', 'images', *formats.split(',')]
    assert all(each['largest'] < 1e-4 for each in found.values())
    # What they were compared on has the colours that a central square does not show.
    experiment = experiment_of(tmp_path / 'checkpoints')
    images = take_sample(experiment, 15).images
    ((features, _),) = experiment.stored_images(training=False, batch_size=15)
    np.testing.assert_array_equal(np.round(images * 255), features['image'])
    assert bool((np.ptp(images, axis=3) > 0.25).any()) == (fit != CROP)


def test_the_module_gives_the_features_of_the_savedmodel(version):
    images = np.random.default_rng(0).random([4, 32, 32, 3], np.float32)
    signature = tf.saved_model.load(str(version)).signatures['features']
    said = signature(images=tf.constant(images))['features']
    features = load_module(str(version / 'hub_module'), trainable=False)(images)
    np.testing.assert_allclose(said, features, atol=1e-6)


def test_the_python_of_the_page_runs(version, whole_experiment, tmp_path, capsys):
    photo = tmp_path / 'photo.jpg'
    photo.write_bytes(stored(whole_experiment)[0])
    (code,) = re.findall(r'^```python\n(.*?)^```', PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    code = code.replace('exported/VERSION', str(version)).replace('photo.jpg', str(photo))
    exec(compile(code, 'README.md', 'exec'), {})
    name, probability = capsys.readouterr().out.split()
    with SavedModelGraph(str(version)) as model:
        classes, probabilities = model.predict([photo.read_bytes()])
    assert name == classes[0, 0].decode()
    assert float(probability) == pytest.approx(probabilities[0, 0], abs=1e-2)


@pytest.mark.parametrize('fine_tuning', [False, True], ids=['frozen', 'fine-tuned'])
def test_another_run_trains_on_the_backbone_of_a_simple_model(
    launch, simple, tmp_path, fine_tuning
):
    flags = {'export_dir': tmp_path / 'models', 'export_formats': 'hub_module'}
    assert launch(simple, 'export', **flags) == 0
    module = versions(tmp_path / 'models')[0] / 'hub_module'
    more = {'fine_tuning': None} if fine_tuning else {}
    assert launch(tmp_path, module=module, train_epochs=1, **more) == 0
    names = open_checkpoint(str(tmp_path / 'checkpoints' / 'model.ckpt-4'))
    has_module = any(n.startswith('module/') for n in names.get_variable_to_shape_map())
    assert has_module == fine_tuning


def test_the_backbone_of_a_fine_tuned_run_has_its_averages(launch, module_dir, tmp_path):
    flags = {'fine_tuning': None, 'moving_average_decay': 0.9, 'train_epochs': 1}
    assert launch(tmp_path, **flags) == 0
    flags = {'export_dir': tmp_path / 'models', 'export_formats': 'hub_module'}
    assert launch(tmp_path, 'export', **flags) == 0
    (version,) = versions(tmp_path / 'models')
    before = load_module(str(module_dir), trainable=True)
    after = load_module(str(version / 'hub_module'), trainable=True)
    checkpoint = open_checkpoint(str(tmp_path / 'checkpoints' / 'model.ckpt-4'))
    for variable in after.variables:
        name = f'module/{variable.name.removesuffix(":0")}'
        np.testing.assert_array_equal(variable, checkpoint.get_tensor(f'ema/{name}'))
        assert not np.array_equal(variable, checkpoint.get_tensor(name))
    assert [v.name for v in after.trainable_variables] == [
        v.name for v in before.trainable_variables
    ]
    assert len(after.losses) == len(before.losses) == 1
    images = np.random.default_rng(0).random([4, 32, 32, 3], np.float32)
    assert not np.allclose(after(images, training=True), after(images, training=False))


def test_a_model_that_cannot_give_its_backbone_is_refused_with_what_it_needs(
    launch, simple, monkeypatch, tmp_path
):
    monkeypatch.setattr(SimpleModel, 'save_backbone', Model.save_backbone)
    with pytest.raises(ConfigError) as error:
        launch(simple, 'export', export_dir=tmp_path / 'models', export_formats='hub_module')
    assert str(error.value) == (
        '--export_formats hub_module: the model simple needs a method save_backbone for that '
        '(project.models.simple; see library/models/model.py)'
    )
    assert not (tmp_path / 'models').exists()


def test_a_module_in_the_old_format_is_exported_in_other_formats_too(launch, tmp_path):
    save_tf1(tmp_path / 'module')
    assert launch(tmp_path, module=tmp_path / 'module', train_epochs=1) == 0
    flags = {'export_dir': tmp_path / 'models', 'export_formats': 'tflite,hub_module'}
    assert launch(tmp_path, 'export', **flags) == 0
    (version,) = versions(tmp_path / 'models')
    found = json.loads((version / 'export.json').read_text())['parity']
    assert set(found) == {'serving_default', 'images', 'tflite', 'hub_module'}


def test_images_are_named_where_int8_has_none_to_learn_ranges_from(
    launch, simple, data_dir, tmp_path
):
    data = tmp_path / 'data'
    shutil.copytree(data_dir / 'test', data / 'test')
    with pytest.raises(ConfigError, match='train'):
        launch(
            simple,
            'export',
            data_dir=data,
            export_dir=tmp_path / 'models',
            export_formats='tflite_int8',
        )
    assert versions(tmp_path / 'models') == []
