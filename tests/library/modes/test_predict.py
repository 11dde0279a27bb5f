"""Predictions with a trained run: on files, on records, and with the model exported."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from library import files
from library.errors import ConfigError, MismatchError, Stopped
from tests.conftest import COLORS, convert_folder

MAX_EDGE = 48


def draw_odd_images(folder, seed):
    """Images that a conversion shrinks, turns, flattens or encodes anew, and some that it keeps."""
    random = np.random.default_rng(seed)
    for name, color in COLORS.items():
        (folder / name).mkdir(parents=True)

        def draw(width, height, color=color):
            slope = np.linspace(-60, 60, width)[None, :, None]
            noise = random.normal(0, 30, (height, width, 3))
            pixels = np.clip(np.array(color) + slope + noise, 0, 255)
            return Image.fromarray(pixels.astype(np.uint8))

        turned = Image.Exif()
        turned[0x0112] = 6
        draw(40, 48).save(folder / name / 'kept.jpg')
        draw(150, 100).save(folder / name / 'large.jpg')
        draw(60, 40).save(folder / name / 'turned.jpg', exif=turned)
        draw(47, 30).save(folder / name / 'turned_only.jpg', exif=turned)
        draw(60, 60).convert('L').save(folder / name / 'grey.jpg')
        draw(60, 60).convert('CMYK').save(folder / name / 'inks.jpg')
        clear = draw(90, 70)
        clear.putalpha(Image.fromarray(np.uint8(np.linspace(0, 255, 6300).reshape(70, 90))))
        clear.save(folder / name / 'clear.png')
        draw(30, 30).save(folder / name / 'small.bmp')
    return folder


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """DIR/{train,test} converted, DIR/images/{train,test} as they were."""
    root = tmp_path_factory.mktemp('odd')
    for seed, split in enumerate(('train', 'test')):
        images = draw_odd_images(root / 'images' / split, seed)
        convert_folder(images, root / split, split, max_edge=MAX_EDGE, quality=70)
    return root


@pytest.fixture(scope='module')
def trained(launch, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp('trained')
    assert launch(folder, data_dir=data, train_epochs=4, epochs_between_evals=4) == 0
    return folder


@pytest.fixture(scope='module')
def exported(launch, data, trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp('exported')
    assert launch(trained, 'export', data_dir=data, export_dir=folder) == 0
    return folder


@pytest.fixture
def predict(launch, trained, tmp_path):
    """Predicts into a CSV file; gives its rows. Keyword arguments are more flags."""

    def call(*paths, **flags):
        output = tmp_path / 'predictions.csv'
        values = {'predict_input': paths[0], 'predict_output': output, **flags}
        assert launch(trained, 'predict', **values) == 0
        with open(output, newline='', encoding='utf-8', errors='surrogateescape') as file:
            return list(csv.DictReader(file))

    return call


def by_class(row):
    """The probability of each class in a row of three."""
    suffixes = ('', '_2', '_3')
    return {row[f'class{each}']: float(row[f'probability{each}']) for each in suffixes}


def estimator_predictions(data, trained):
    """What the Estimator itself predicts on the evaluation's records, in their order."""
    import run

    words = ['evaluate', '--model_dir', str(trained / 'checkpoints'), '--data_dir', str(data)]
    experiment = run.open_experiment(words)
    told = experiment.estimator.predict(experiment.batches(tf.estimator.ModeKeys.EVAL))
    names = experiment.run.class_names
    return [dict(zip(names, map(float, each['probabilities']), strict=True)) for each in told]


def test_files_records_and_evaluation_give_the_same_probabilities(data, trained, predict):
    on_records = predict(data / 'test')
    assert len(on_records) == 3 * 8
    evaluated = estimator_predictions(data, trained)
    assert len(evaluated) == len(on_records)
    for row, expected in zip(on_records, evaluated, strict=True):
        assert by_class(row) == pytest.approx(expected, abs=1e-6)
    named = {row['file']: by_class(row) for row in on_records}
    images = data / 'images' / 'test'
    on_files = {os.path.relpath(row['file'], images): by_class(row) for row in predict(images)}
    assert on_files.keys() == named.keys()
    for name, probabilities in on_files.items():
        assert probabilities == pytest.approx(named[name], abs=1e-6), name


def test_an_exported_model_gives_the_same_as_its_run(data, exported, predict, launch, tmp_path):
    images = data / 'images' / 'test'
    expected = predict(images)
    output = tmp_path / 'exported.csv'
    flags = {'saved_model': exported, 'predict_input': images, 'predict_output': output}
    assert call_without_run(flags) == 0
    with open(output, newline='', encoding='utf-8') as file:
        found = list(csv.DictReader(file))
    assert [row['file'] for row in found] == [row['file'] for row in expected]
    for one, other in zip(found, expected, strict=True):
        assert by_class(one) == pytest.approx(by_class(other), abs=1e-6)


def call_without_run(flags):
    import run

    return run.main(['predict', *(str(w) for k, v in flags.items() for w in (f'--{k}', v))])


def test_the_best_folder_is_a_run_and_a_step_can_be_named(trained, data, predict):
    image = data / 'images' / 'test' / 'red' / 'kept.jpg'
    ((best,), (named,)) = (
        predict(image, model_dir=trained / 'best'),
        predict(image, validation_checkpoint='best'),
    )
    assert by_class(best) == by_class(named)
    with pytest.raises(ConfigError, match='no checkpoint there'):
        predict(image, validation_checkpoint='3')


def test_bad_files_are_rows_among_the_others(data, predict, tmp_path, capsys):
    folder = tmp_path / 'mixed'
    folder.mkdir()
    good = (data / 'images' / 'test' / 'red' / 'large.jpg').read_bytes()
    (folder / 'a.jpg').write_bytes(good)
    (folder / 'b_cut.jpg').write_bytes(good[: len(good) // 2])
    (folder / 'c_empty.jpg').write_bytes(b'')
    (folder / 'd_page.jpg').write_bytes(b'<html>404</html>')
    (folder / 'e_folder.jpg').mkdir()
    os.mkfifo(folder / 'f_pipe.jpg')
    (folder / os.fsdecode(b'g \xff.jpg')).write_bytes(good)
    rows = predict(folder, top_k=2)
    header = ['file', 'class', 'probability', 'class_2', 'probability_2', 'error']
    assert list(rows[0]) == header
    assert [os.path.basename(row['file'])[0] for row in rows] == list('abcdefg')
    assert [bool(row['error']) for row in rows] == [False, *[True] * 5, False]
    assert [bool(row['class']) for row in rows] == [True, *[False] * 5, True]
    assert os.fsencode(rows[6]['file']).endswith(b'g \xff.jpg')
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ['file', 'class', 'probability', 'next']
    assert 'error: empty file' in lines[3]
    path = tmp_path / 'predictions.csv'
    assert lines[-1].startswith(f'7 images, 5 errors, written to {path} (')


def test_with_a_file_for_all_predictions_twenty_are_shown(data, predict, capsys):
    predict(data / 'images' / 'test')
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 20 + 2
    assert lines[-2] == '...'
    assert lines[-1].startswith('24 images, 0 errors, ')


def test_errors_beyond_the_rows_shown_are_shown_too(data, predict, capsys, tmp_path):
    folder = tmp_path / 'many'
    shutil.copytree(data / 'images' / 'test', folder)
    (folder / 'z-broken.jpg').write_bytes(b'no image')
    predict(folder)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 20 + 1 + 2
    assert 'z-broken.jpg' in lines[21]
    assert 'error: ' in lines[21]
    assert lines[-1].startswith('25 images, 1 error, ')


def test_without_a_file_all_predictions_are_shown(data, trained, launch, capsys):
    assert launch(trained, 'predict', predict_input=data / 'images' / 'test') == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 24 + 1
    assert lines[-1].startswith('24 images, 0 errors (')


def test_a_name_with_commas_is_one_name(data, predict, tmp_path):
    path = tmp_path / 'a, b,c.jpg'
    path.write_bytes((data / 'images' / 'test' / 'red' / 'kept.jpg').read_bytes())
    assert [row['file'] for row in predict(path)] == [str(path)]


def test_remote_files_are_read_and_written(data, trained, launch):
    content = (data / 'images' / 'test' / 'red' / 'kept.jpg').read_bytes()
    files.make_folder('ram://photos/in')
    files.write_atomically('ram://photos/in/1.jpg', content)
    flags = {'predict_input': 'ram://photos/in', 'predict_output': 'ram://photos/out/a.jsonl'}
    assert launch(trained, 'predict', **flags) == 0
    prediction = json.loads(files.read_bytes('ram://photos/out/a.jsonl'))
    assert prediction['file'] == 'ram://photos/in/1.jpg'
    assert {each['class'] for each in prediction['predictions']} == set(COLORS)
    assert files.names_in('ram://photos/out') == ['a.jsonl']


def test_nothing_found_is_an_error_before_the_model_is_built(trained, launch, tmp_path, no_model):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'a.csv').write_text('old')
    flags = {'predict_input': tmp_path / 'empty', 'predict_output': tmp_path / 'a.csv'}
    with pytest.raises(ConfigError, match='empty: no images found'):
        launch(trained, 'predict', **flags)
    assert (tmp_path / 'a.csv').read_text() == 'old'


@pytest.fixture
def no_model(monkeypatch):
    """The model must not be built in this test."""

    def fail(*arguments):
        raise AssertionError('the model was built')

    monkeypatch.setattr('library.modes.predict.ServingGraph', fail)


def test_a_folder_that_cannot_be_written_is_reported_before_the_model_is_built(
    data, trained, launch, tmp_path, no_model
):
    (tmp_path / 'file').write_text('')
    flags = {'predict_input': data / 'images', 'predict_output': tmp_path / 'file' / 'a.csv'}
    with pytest.raises(OSError, match='file'):
        launch(trained, 'predict', **flags)


@pytest.mark.parametrize('stop', [KeyboardInterrupt(), Stopped(signal.SIGTERM, 'stopped')])
def test_a_signal_leaves_the_old_predictions_and_no_half_file(
    data, trained, launch, tmp_path, monkeypatch, stop
):
    from library.modes.serving.graph import ServingGraph

    ask, asked = ServingGraph.predict, []

    def stopped_later(graph, encoded):
        asked.append(len(encoded))
        if len(asked) == 2:
            raise stop
        return ask(graph, encoded)

    monkeypatch.setattr(ServingGraph, 'predict', stopped_later)
    output = tmp_path / 'out' / 'a.csv'
    output.parent.mkdir()
    output.write_text('old')
    flags = {'predict_input': data / 'images' / 'test', 'predict_output': output}
    with pytest.raises(type(stop)):
        launch(trained, 'predict', eval_batch_size=4, **flags)
    assert asked == [4, 4]
    assert os.listdir(output.parent) == ['a.csv']
    assert output.read_text() == 'old'


@pytest.mark.parametrize('named', ['photos.csv', '*.csv', 'link/photos.csv'])
def test_predictions_do_not_replace_the_list_that_they_are_about(trained, launch, tmp_path, named):
    path = tmp_path / 'photos.csv'
    path.write_text('path\nno.jpg\n')
    (tmp_path / 'link').symlink_to(tmp_path)
    with pytest.raises(ConfigError, match=r'--predict_output: .*photos.csv is among what is to be'):
        launch(trained, 'predict', predict_input=tmp_path / named, predict_output=path)
    assert path.read_text() == 'path\nno.jpg\n'


def test_two_that_write_one_file_do_not_mix(data, trained, launch, tmp_path, monkeypatch):
    from library.modes.serving.graph import ServingGraph

    ask, output, images = ServingGraph.predict, tmp_path / 'a.csv', data / 'images' / 'test'
    flags = {'predict_output': output, 'eval_batch_size': 4}
    between = []

    def other_between(graph, encoded):
        if not between:
            between.append(True)
            assert launch(trained, 'predict', predict_input=images / 'red', **flags) == 0
            between.append(output.read_text())
        return ask(graph, encoded)

    monkeypatch.setattr(ServingGraph, 'predict', other_between)
    assert launch(trained, 'predict', predict_input=images, **flags) == 0
    assert len(between[1].splitlines()) == 1 + 8
    assert len(output.read_text().splitlines()) == 1 + 24
    assert os.listdir(tmp_path) == ['a.csv']


def test_a_run_that_does_not_know_how_its_images_are_stored_is_warned_of(
    data, trained, predict, tmp_path, capsys
):
    old = shutil.copytree(trained, tmp_path / 'old') / 'checkpoints'
    lines = (old / 'hparams.yaml').read_text().splitlines(keepends=True)
    kept = ''.join(line for line in lines if not line.startswith('stored_'))
    (old / 'hparams.yaml').write_text(kept)
    image = data / 'images' / 'test' / 'red' / 'large.jpg'
    warning = 'checkpoints/hparams.yaml does not say how the training images were stored'
    expected = predict(image)
    assert warning not in capsys.readouterr().err
    assert predict(image, model_dir=old) != expected
    assert warning in capsys.readouterr().err
    # What the warning says helps.
    (old / 'hparams.yaml').write_text(f'{kept}stored_max_edge: {MAX_EDGE}\nstored_quality: 70\n')
    assert predict(image, model_dir=old) == expected
    assert warning not in capsys.readouterr().err


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        ({'predict_output': 'x.txt'}, 'predict_output: x.txt must end in .csv or .jsonl'),
        ({'predict_output': 'FOLDER.csv'}, r'predict_output: .*FOLDER.csv is a folder'),
        ({'predict_input': 'no.jpg'}, r'no.jpg: no such file or folder \(--predict_input\)'),
        ({'saved_model': 'FOLDER.csv'}, '--model_dir is not used with --saved_model'),
    ],
)
def test_wrong_flags_are_refused(trained, launch, tmp_path, flags, message):
    (tmp_path / 'FOLDER.csv').mkdir()
    (tmp_path / 'a.jpg').touch()
    flags = {k: v.replace('FOLDER', f'{tmp_path}/FOLDER') for k, v in flags.items()}
    with pytest.raises(ConfigError, match=message):
        launch(trained, 'predict', **{'predict_input': tmp_path, **flags})


def test_an_export_of_something_else_is_refused(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(b'x')
    (tmp_path / 'model').mkdir()
    flags = {'saved_model': tmp_path / 'model', 'predict_input': tmp_path / 'a.jpg'}
    with pytest.raises(ConfigError, match=r'no SavedModel there \(--saved_model\)'):
        call_without_run(flags)
    (tmp_path / 'model' / 'saved_model.pb').write_bytes(b'x')
    with pytest.raises(MismatchError, match='does not name the classes'):
        call_without_run(flags)


@pytest.mark.process
def test_nothing_named_is_reported_without_tensorflow(trained, program):
    code = (
        'import sys, run\n'
        'from library.runtime.entry import run_program\n'
        f'status = run_program(run.main, ["predict", "--model_dir", "{trained}/checkpoints"])\n'
        'print(status, "tensorflow" in sys.modules)\n'
    )
    done = program('-c', code)
    assert done.stdout == '2 False\n', done.stderr
    assert done.stderr.startswith('error: --predict_input: name what to classify')


def test_what_pixels_mean_cannot_be_said_otherwise_than_in_training(launch, trained, data):
    with pytest.raises(ConfigError, match='--background has no effect: images are read as those'):
        launch(trained, 'predict', predict_input=data, background='0,0,0')
