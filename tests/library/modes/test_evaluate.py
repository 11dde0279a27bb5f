"""Evaluations of a trained run."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from PIL import Image

from library.errors import ConfigError, MismatchError
from tests.conftest import convert_folder


@pytest.fixture(scope='module')
def trained(trained_copy, tmp_path_factory):
    return trained_copy(tmp_path_factory.mktemp('trained'), train_epochs=3, hidden_units=4)


def metrics(folder, name='eval'):
    return json.loads((folder / name / 'metrics.json').read_text())


def test_the_folder_alone_is_enough(launch, trained, capsys):
    assert launch(trained, 'evaluate') == 0
    found = metrics(trained / 'checkpoints')
    assert found['examples'] == 15
    assert found['global_step'] == 12
    assert found['split'] == 'test'
    assert found['checkpoint'] == str(trained / 'checkpoints' / 'model.ckpt-12')
    assert 0 <= found['accuracy'] <= 1
    assert found['loss'] == found['average_loss']
    out = capsys.readouterr().out
    assert re.search(rf'^accuracy +{found["accuracy"]:.4f}$', out, flags=re.MULTILINE)
    assert str(trained / 'checkpoints' / 'eval' / 'metrics.json') in out


def test_a_short_last_batch_does_not_change_the_result(launch, trained):
    for batch, name in ((15, 'whole'), (4, 'parts')):
        flags = {'eval_batch_size': batch, 'validation_name': name}
        assert launch(trained, 'evaluate', **flags) == 0
    whole, parts = (metrics(trained / 'checkpoints', f'eval_{n}') for n in ('whole', 'parts'))
    assert parts['loss'] == pytest.approx(whole['loss'], rel=1e-5)
    assert parts['accuracy'] == whole['accuracy']


def test_the_best_can_be_named_and_is_a_model_dir_of_its_own(launch, trained):
    flags = {'validation_checkpoint': 'best', 'validation_name': 'best'}
    assert launch(trained, 'evaluate', **flags) == 0
    assert launch(trained, 'evaluate', model_dir=trained / 'best') == 0
    named, own = metrics(trained / 'checkpoints', 'eval_best'), metrics(trained / 'best')
    best = json.loads((trained / 'best' / 'best.json').read_text())['snapshots'][0]
    assert named['global_step'] == own['global_step'] == best['global_step']
    assert named['loss'] == own['loss'] == pytest.approx(best['value'], rel=1e-6)


def test_a_checkpoint_can_be_named_by_step_or_path(launch, trained):
    for wanted in ('4', trained / 'checkpoints' / 'model.ckpt-4'):
        flags = {'validation_checkpoint': wanted, 'validation_name': 'named'}
        assert launch(trained, 'evaluate', **flags) == 0
        assert metrics(trained / 'checkpoints', 'eval_named')['global_step'] == 4


def test_a_split_can_be_named(launch, trained):
    flags = {'eval_split': 'train', 'validation_name': 'train'}
    assert launch(trained, 'evaluate', **flags) == 0
    assert metrics(trained / 'checkpoints', 'eval_train')['examples'] == 24


def test_a_split_of_any_name_can_be_evaluated(launch, trained, data_dir, tmp_path):
    for name in ('train', 'test'):
        shutil.copytree(data_dir / name, tmp_path / name)
    convert_folder(data_dir / 'images' / 'test', tmp_path / 'autumn', 'autumn')
    flags = {'data_dir': tmp_path, 'eval_split': 'autumn', 'validation_name': 'autumn'}
    assert launch(trained, 'evaluate', **flags) == 0
    found = metrics(trained / 'checkpoints', 'eval_autumn')
    assert (found['split'], found['examples']) == ('autumn', 15)
    with pytest.raises(ConfigError, match=r'holds train, test, autumn \(--eval_split\)'):
        launch(trained, 'evaluate', **{**flags, 'eval_split': 'spring'})
    with pytest.raises(ConfigError, match=r'--eval_split ../x: not the name of a split'):
        launch(trained, 'evaluate', **{**flags, 'eval_split': '../x'})


def test_another_data_set_is_evaluated_by_the_names_of_its_classes(
    launch, trained, data_dir, tmp_path, capsys
):
    """Without `blue` its labels are 0 and 1 for what the run calls 1 and 2."""
    shutil.copytree(data_dir / 'images' / 'test', tmp_path / 'images')
    shutil.rmtree(tmp_path / 'images' / 'blue')
    other = tmp_path / 'other'
    convert_folder(tmp_path / 'images', other / 'test', 'test')
    assert launch(trained, 'evaluate', validation_name='all') == 0
    capsys.readouterr()
    assert launch(trained, 'evaluate', data_dir=other, validation_name='part') == 0
    assert (
        f'{other}/test has its classes by name: 2 of the 3 that the run knows, without blue'
        in capsys.readouterr().out
    )
    whole, part = (
        [
            row.split(',')
            for row in (trained / 'checkpoints' / name / 'confusion_matrix.csv')
            .read_text()
            .splitlines()
        ]
        for name in ('eval_all', 'eval_part')
    )
    assert part[2:] == whole[2:]
    assert part[1] == ['blue', '0', '0', '0']
    records = f'{other}/test/*.tfrecord'
    flags = {'train_metadata': records, 'eval_metadata': records, 'validation_name': 'given'}
    assert launch(trained, 'evaluate', **flags) == 0
    assert (
        metrics(trained / 'checkpoints', 'eval_given')['accuracy']
        == metrics(trained / 'checkpoints', 'eval_part')['accuracy']
    )


def test_a_data_set_with_a_class_of_its_own_is_refused(launch, trained, data_dir, tmp_path):
    shutil.copytree(data_dir / 'images' / 'test', tmp_path / 'images')
    (tmp_path / 'images' / 'blue').rename(tmp_path / 'images' / 'violet')
    convert_folder(tmp_path / 'images', tmp_path / 'other' / 'test', 'test')
    with pytest.raises(MismatchError, match=r'but .*other/test holds 3 \(green, red, violet\)'):
        launch(trained, 'evaluate', data_dir=tmp_path / 'other')


def test_a_checkpoint_that_is_not_there_is_named(launch, trained):
    with pytest.raises(ConfigError, match=r'model.ckpt-99: no checkpoint there'):
        launch(trained, 'evaluate', validation_checkpoint=99)


def test_a_folder_without_a_run_is_named(launch, tmp_path):
    with pytest.raises(ConfigError, match=r'checkpoints: no run there \(--model_dir\)'):
        launch(tmp_path, 'evaluate')


def test_an_option_of_the_runs_own_model_is_legal(launch, trained_copy, tmp_path):
    trained_copy(tmp_path, model='simple', image_size=16, train_epochs=1)
    with pytest.raises(ConfigError, match=r'--hidden_units is not used .* --model hub'):
        launch(tmp_path, 'evaluate', hidden_units=3)
    assert launch(tmp_path, 'evaluate', dropout_rate=0.1) == 0


@pytest.mark.parametrize('name', ['../out', 'a/b', '..'])
def test_a_name_of_an_evaluation_is_no_path(launch, trained, name):
    with pytest.raises(ConfigError, match='a plain name, without folders'):
        launch(trained, 'evaluate', validation_name=name)


def test_class_names_of_any_kind_survive_the_way_through_the_runs_values(
    launch, tmp_path, data_dir
):
    names = ['no', 'null', '007', 'a,b', ' x ', '<<', '~', 'ä', "it's", '1e-4']
    images = tmp_path / 'images'
    for number, name in enumerate(names):
        (images / name).mkdir(parents=True)
        Image.new('RGB', (32, 32), (20 * number, 0, 99)).save(images / name / '0.jpg')
    for split in ('train', 'test'):
        convert_folder(images, tmp_path / 'data' / split, split, max_edge=32)
    flags = {'model': 'simple', 'image_size': 16, 'train_epochs': 1}
    assert launch(tmp_path, data_dir=tmp_path / 'data', **flags) == 0
    assert launch(tmp_path, 'evaluate') == 0
    assert metrics(tmp_path / 'checkpoints')['examples'] == len(names)


def test_the_best_of_another_run_is_refused(launch, trained, tmp_path):
    shutil.copytree(trained / 'best', tmp_path / 'best')
    path = tmp_path / 'best' / 'hparams.yaml'
    lines = [line for line in path.read_text().splitlines() if not line.startswith('run_id')]
    path.write_text('\n'.join([*lines, 'run_id: other']) + '\n')
    flags = {'validation_checkpoint': 'best', 'best_model_dir': tmp_path / 'best'}
    with pytest.raises(MismatchError, match='holds the best checkpoints of another run'):
        launch(trained, 'evaluate', **flags)


def test_the_command_line_wins_over_the_run_and_a_misfit_is_refused(launch, trained):
    with pytest.raises(MismatchError, match='head/hidden/kernel has the shape'):
        launch(trained, 'evaluate', hidden_units=9)


def test_a_flag_of_training_is_accepted_and_one_of_evaluation_is_not_in_training(launch, trained):
    assert launch(trained, 'evaluate', train_epochs=7, learning_rate=0.5) == 0
    with pytest.raises(ConfigError, match=r'--validation_name is not used by this run: .*evaluate'):
        launch(trained, 'train', validation_name='x')


@pytest.mark.parametrize('part', ['index', 'data-00000-of-00001'])
def test_a_damaged_checkpoint_is_not_taken_for_the_end_of_the_data(launch, trained, part):
    path = trained / 'checkpoints' / f'model.ckpt-8.{part}'
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MismatchError, match=r'model\.ckpt-8: the checkpoint is damaged') as error:
        launch(trained, 'evaluate', validation_checkpoint=8)
    path.write_bytes(whole)
    assert error.value.exit_code == 4
