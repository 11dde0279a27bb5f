"""Exports of trained runs: what lies in a version, and that it says what the checkpoint says."""

from __future__ import annotations

import base64
import json
import re
import shutil
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from library.checkpoints.newest import write_checkpoint_state
from library.errors import ConfigError, MismatchError, ResourceError
from library.models.module_loading import load_module
from library.modes.checkpoint_choice import chosen_checkpoint
from library.modes.exporting import parity
from library.modes.serving.graph import ServingGraph
from library.modes.serving.saved import SavedModelGraph
from tests.conftest import ROOT, save_tf1
from tests.served import experiment_of, rest_server, stored, versions

CLASSES = {b'blue', b'green', b'red'}


@pytest.fixture(scope='module')
def frozen(launch, module_dir, tmp_path_factory):
    """A run on a module of its own, exported; the module is gone then."""
    folder = tmp_path_factory.mktemp('frozen')
    shutil.copytree(module_dir, folder / 'module')
    lengths = {'train_epochs': 6, 'epochs_between_evals': 6}
    assert launch(folder, module=folder / 'module', **lengths) == 0
    assert launch(folder, 'export', export_dir=folder / 'models') == 0
    shutil.copytree(folder, folder.with_name('whole'), dirs_exist_ok=True)
    shutil.rmtree(folder / 'module')
    return folder


@pytest.fixture(scope='module')
def version(frozen):
    return versions(frozen / 'models')[0]


@pytest.fixture(scope='module')
def simple(trained_copy, tmp_path_factory):
    return trained_copy(tmp_path_factory.mktemp('simple'), model='simple', image_size=32)


@pytest.fixture(scope='module')
def whole_experiment(frozen):
    """The run of `version`, with its module."""
    whole = frozen.with_name('whole')
    return experiment_of(whole / 'checkpoints', module=whole / 'module')


def test_it_says_what_the_estimator_predicts_in_evaluation(whole_experiment, version):
    experiment = whole_experiment
    said = experiment.estimator.predict(
        lambda: experiment.batches(tf.estimator.ModeKeys.EVAL)().map(lambda images, _: images),
        checkpoint_path=chosen_checkpoint(experiment.hparams, experiment.run.run_id),
    )
    right = np.array([each['probabilities'] for each in said])
    with SavedModelGraph(str(version)) as model:
        classes, probabilities = model.predict(stored(experiment))
    assert len(classes) == len(right) == 15
    names = [name.encode() for name in experiment.run.class_names]
    by_label = parity.in_label_order([classes], [probabilities], names)
    np.testing.assert_allclose(by_label, right, atol=1e-5)
    assert (np.diff(probabilities) <= 0).all()
    assert {*classes[0]} == CLASSES


@pytest.mark.process
def test_it_needs_nothing_outside_of_itself(program, frozen, version, tmp_path, whole_experiment):
    assert not (frozen / 'module').exists()
    moved = shutil.copytree(version, tmp_path / 'moved')
    image = tmp_path / 'image.jpg'
    image.write_bytes(stored(whole_experiment)[0])
    text = (
        'import sys, tensorflow as tf\n'
        'model = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]\n'
        'said = model(image_bytes=tf.constant([open(sys.argv[2], "rb").read()]))\n'
        'print(said["classes"].numpy()[0, 0].decode(), float(said["probabilities"][0, 0]))\n'
    )
    done = program('-c', text, moved, image, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with SavedModelGraph(str(version)) as model:
        classes, probabilities = model.predict([image.read_bytes()])
    name, probability = done.stdout.split()
    assert name == classes[0, 0].decode()
    assert float(probability) == pytest.approx(probabilities[0, 0], abs=1e-6)
    program_text = (version / 'saved_model.pb').read_bytes()
    assert str(frozen).encode() not in program_text
    assert b'/variables' not in program_text


def test_it_holds_no_more_than_its_predictions_need(version):
    graph = SavedModel.FromString((version / 'saved_model.pb').read_bytes()).meta_graphs[0]
    assert set(graph.signature_def) == {'serving_default', 'images', 'features'}
    assert set(graph.collection_def) == {'variables'}
    functions = {function.signature.name for function in graph.graph_def.library.function}
    text = str(graph.graph_def)
    assert all(text.count(f'"{name}"') > 1 for name in functions)
    names = [name for name, _ in tf.train.list_variables(str(version / 'variables' / 'variables'))]
    assert not [name for name in names if 'Adam' in name or 'power' in name]
    assert any(name.startswith('module/') for name in names)


def test_classes_and_values_of_the_run_lie_inside(version):
    assert (version / 'assets' / 'class_names.txt').read_text() == 'blue\ngreen\nred\n'
    assert 'model: hub' in (version / 'assets' / 'hparams.yaml').read_text()


def test_a_version_says_where_it_comes_from(frozen, version):
    record = json.loads((version / 'export.json').read_text())
    assert record['checkpoint'] == str(frozen / 'checkpoints' / 'model.ckpt-24')
    assert record['global_step'] == 24
    assert f'run_id: {record["run_id"]}' in (version / 'assets' / 'hparams.yaml').read_text()
    assert 'metrics' not in record
    assert set(record['parity']) == {'serving_default', 'images'}
    assert record['parity']['serving_default']['largest'] < 1e-4


def test_the_features_are_those_of_the_module(version, whole_experiment):
    loaded = tf.saved_model.load(str(version))
    images = np.random.default_rng(0).random([4, 32, 32, 3], np.float32)
    said = loaded.signatures['features'](images=tf.constant(images))['features']
    features = load_module(whole_experiment.hparams.module, trainable=False)(images)
    np.testing.assert_allclose(said, features, atol=1e-6)


def test_a_request_over_http_is_answered(version, whole_experiment):
    images = stored(whole_experiment)[:3]
    rows = [{'image_bytes': {'b64': base64.b64encode(image).decode()}} for image in images]
    with rest_server(version) as url, SavedModelGraph(str(version)) as model:
        body = json.dumps({'instances': rows}).encode()
        with urllib.request.urlopen(url, body) as response:
            said = json.loads(response.read())['predictions']
        classes, probabilities = model.predict(images)
        zeros = {
            'signature_name': 'images',
            'instances': [{'images': np.zeros([32, 32, 3]).tolist()}],
        }
        with urllib.request.urlopen(url, json.dumps(zeros).encode()) as response:
            assert set(json.loads(response.read())['predictions'][0]) == {
                'classes',
                'probabilities',
            }
    for row, names, values in zip(said, classes, probabilities, strict=True):
        assert row['classes'] == [name.decode() for name in names]
        np.testing.assert_allclose(row['probabilities'], values, atol=1e-6)


def test_the_python_of_the_page_about_serving_runs(version, whole_experiment, tmp_path, capsys):
    photo = tmp_path / 'photo.jpg'
    photo.write_bytes(stored(whole_experiment)[0])
    page = (ROOT / 'docs' / 'serving.md').read_text()
    (code,) = re.findall(r'^```python\n(.*?)^```', page, flags=re.MULTILINE | re.DOTALL)
    code = code.replace('exported/VERSION', str(version)).replace('photo.jpg', str(photo))
    exec(compile(code, 'docs/serving.md', 'exec'), {})
    name, probability = capsys.readouterr().out.split()
    with SavedModelGraph(str(version)) as model:
        classes, probabilities = model.predict([photo.read_bytes()])
    assert name == classes[0, 0].decode()
    assert float(probability) == pytest.approx(probabilities[0, 0], abs=1e-6)


def messages():
    """The messages of tensorflow-serving-api that a warm-up record is made of."""
    file = descriptor_pb2.FileDescriptorProto(name='warm_up.proto', package='s', syntax='proto3')
    text, message = (
        getattr(descriptor_pb2.FieldDescriptorProto, f'TYPE_{kind}')
        for kind in ('BYTES', 'MESSAGE')
    )
    for name, fields in {
        'Entry': [('key', 1, None, 1), ('value', 2, None, 1)],
        'ModelSpec': [('signature_name', 3, None, 1)],
        'PredictRequest': [('model_spec', 1, 'ModelSpec', 1), ('inputs', 2, 'Entry', 3)],
        'PredictLog': [('request', 1, 'PredictRequest', 1)],
        'PredictionLog': [('predict_log', 6, 'PredictLog', 1)],
    }.items():
        described = file.message_type.add(name=name)
        for field, number, kind, label in fields:
            described.field.add(
                name=field,
                number=number,
                label=label,
                type=message if kind else text,
                type_name=f'.s.{kind}' if kind else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName('s.PredictionLog'))


def test_warm_up_requests_ask_what_the_model_answers(version):
    path = version / 'assets.extra' / 'tf_serving_warmup_requests'
    asked = []
    loaded = tf.saved_model.load(str(version))
    for record in tf.compat.v1.io.tf_record_iterator(str(path)):
        warm_up = messages().FromString(record)
        assert warm_up.SerializeToString() == record
        request = warm_up.predict_log.request
        (entry,) = request.inputs
        tensor = tf.make_ndarray(TensorProto.FromString(entry.value))
        signature = loaded.signatures[request.model_spec.signature_name.decode()]
        dtype = tf.string if tensor.dtype == object else tf.float32
        said = signature(**{entry.key.decode(): tf.constant(tensor, dtype)})
        assert said['probabilities'].shape == (1, 3)
        asked.append(request.model_spec.signature_name)
    assert asked == [b'serving_default', b'serving_default', b'images']


def test_a_second_export_is_a_newer_version(launch, simple, capsys):
    for _ in range(2):
        assert launch(simple, 'export', export_dir=simple / 'models') == 0
    assert len(versions(simple / 'models')) == 2
    out = capsys.readouterr().out
    assert 'on 15 images' in out
    assert f'model.ckpt-8 is exported to {versions(simple / "models")[1]}\n' in out


def test_an_export_lands_in_a_remote_folder(launch, simple):
    assert launch(simple, 'export', export_dir='ram://exports') == 0
    with SavedModelGraph('ram://exports') as model:
        assert set(model.signatures) == {'serving_default', 'images', 'features'}
        assert tf.io.gfile.exists(f'{model.folder}/export.json')


def test_a_model_without_features_is_exported_without_them(
    launch, simple, monkeypatch, tmp_path, capsys
):
    import project.model_fn

    predictions_of = project.model_fn.predictions_of
    monkeypatch.setattr(
        project.model_fn, 'predictions_of', lambda logits, _: predictions_of(logits)
    )
    assert launch(simple, 'export', export_dir=tmp_path) == 0
    assert (
        'the model gives no features: there is no signature `features`\n' in capsys.readouterr().out
    )
    with SavedModelGraph(str(tmp_path)) as model:
        assert set(model.signatures) == {'serving_default', 'images'}


def test_without_a_folder_versions_go_into_that_of_the_run(launch, simple, tmp_path, capsys):
    shutil.copytree(simple, tmp_path / 'own')
    for count in (1, 2):
        assert launch(tmp_path / 'own', 'export') == 0
        assert len(versions(tmp_path / 'own' / 'checkpoints' / 'export')) == count
    assert 'warning' not in capsys.readouterr().out


def test_a_folder_with_versions_of_another_run_is_reported(launch, simple, tmp_path, capsys):
    before = tmp_path / 'models' / '17'
    before.mkdir(parents=True)
    (before / 'export.json').write_text('{"run_id": "another"}')
    (before / 'saved_model.pb').touch()
    assert launch(simple, 'export', export_dir=tmp_path / 'models') == 0
    told = f'warning: {tmp_path}/models: the newest version there is of another run'
    assert told in capsys.readouterr().out


def test_an_export_that_differs_gets_no_number(launch, simple, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(parity, 'TOLERANCE', -1.0)
    with pytest.raises(MismatchError, match='serving_default: differs from the checkpoint by'):
        launch(simple, 'export', export_dir=tmp_path / 'models')
    assert 'serving_default' in capsys.readouterr().out
    assert [path.name for path in (tmp_path / 'models').iterdir()] == ['.lock']


@pytest.mark.process
def test_a_kill_leaves_the_old_versions_and_nothing_that_is_served(
    program, launch, simple, tmp_path
):
    models = tmp_path / 'models'
    assert launch(simple, 'export', export_dir=models) == 0
    (old,) = versions(models)
    killed = program(
        '-c',
        'import os, sys, run\n'
        'from library.modes.exporting import parity\n'
        'parity.require_parity = lambda *ignored: os.kill(os.getpid(), 9)\n'
        'run.main(sys.argv[1:])\n',
        *('export', '--model_dir', simple / 'checkpoints', '--export_dir', models),
    )
    assert killed.returncode == -9
    assert versions(models) == [old]
    (left,) = models.glob('unfinished-*')
    assert (left / 'saved_model.pb').exists()
    assert launch(simple, 'export', export_dir=models) == 0
    assert len(versions(models)) == 2
    assert not left.exists()


def test_a_missing_or_wrong_checkpoint_is_reported_before_anything_is_written(
    launch, simple, module_dir, tmp_path
):
    models = tmp_path / 'models'
    with pytest.raises(ConfigError, match='no checkpoint there'):
        launch(simple, 'export', export_dir=models, validation_checkpoint=999)
    with pytest.raises(MismatchError, match='is a run of the model simple, and not of hub'):
        launch(simple, 'export', export_dir=models, model='hub', module=module_dir)
    assert not models.exists()


def test_an_export_dir_that_is_a_file_is_refused(launch, simple, tmp_path):
    (tmp_path / 'models').write_text('')
    with pytest.raises(ConfigError, match=r'models: a file, not a folder \(--export_dir\)'):
        launch(simple, 'export', export_dir=tmp_path / 'models')


def test_a_frozen_module_that_is_gone_is_named(launch, frozen, tmp_path):
    with pytest.raises(ResourceError, match=f'{frozen}/module: no such module'):
        launch(frozen, 'export', export_dir=tmp_path)


def test_a_module_in_the_old_format_is_exported_too(launch, tmp_path):
    save_tf1(tmp_path / 'module')
    assert launch(tmp_path, module=tmp_path / 'module', train_epochs=1) == 0
    assert launch(tmp_path, 'export', export_dir=tmp_path / 'models') == 0
    (version,) = versions(tmp_path / 'models')
    signature = tf.saved_model.load(str(version)).signatures['images']
    assert {*signature(images=tf.zeros([1, 32, 32, 3]))['classes'].numpy()[0]} == CLASSES


def test_a_trainer_may_remove_the_checkpoint_while_it_is_exported(
    launch, simple, monkeypatch, tmp_path, capsys
):
    folder = shutil.copytree(simple, tmp_path / 'run') / 'checkpoints'
    newest = tf.train.latest_checkpoint(folder)
    build = ServingGraph._fill

    def slow(graph):
        # A trainer saves step 9, and drops the one before, which was to be restored.
        if 'model_checkpoint_path: "model.ckpt-8"' in (folder / 'checkpoint').read_text():
            for path in folder.glob('model.ckpt-8.*'):
                path.rename(path.with_name(path.name.replace('-8', '-9')))
            write_checkpoint_state(str(folder), ['model.ckpt-9'])
        return build(graph)

    def fast(*arguments):
        # And goes on doing so while the export is tried.
        for path in folder.glob('model.ckpt-9.*'):
            path.unlink()
        return compare(*arguments)

    compare = parity.compare_saved_model
    monkeypatch.setattr(ServingGraph, '_fill', slow)
    monkeypatch.setattr(parity, 'compare_saved_model', fast)
    assert newest.endswith('model.ckpt-8')
    models = tmp_path / 'models'
    assert launch(tmp_path / 'run', 'export', export_dir=models) == 0
    out = capsys.readouterr().out
    assert 'model.ckpt-9 has appeared meanwhile: using that\n' in out
    record = json.loads((versions(models)[0] / 'export.json').read_text())
    assert record['checkpoint'] == str(folder / 'model.ckpt-9')
    assert record['global_step'] == 8


def test_a_run_that_does_not_know_how_its_images_are_stored_is_exported_with_a_warning(
    launch, simple, tmp_path, capsys
):
    old = shutil.copytree(simple, tmp_path / 'old')
    saved = old / 'checkpoints' / 'hparams.yaml'
    warning = f'warning: {saved} does not say how the training images were stored'
    capsys.readouterr()
    assert launch(old, 'export', export_dir=tmp_path / 'models') == 0
    assert warning not in capsys.readouterr().out
    lines = saved.read_text().splitlines(keepends=True)
    saved.write_text(''.join(line for line in lines if not line.startswith('stored_')))
    assert launch(old, 'export', export_dir=tmp_path / 'models') == 0
    assert warning in capsys.readouterr().out
