"""Runs side by side."""

from __future__ import annotations

import json

import pytest
import yaml

import run
from library.errors import ConfigError
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

ACCURACIES = {'first': (0.5, 0.9, 0.8), 'second': (0.6, 0.7, 0.95), 'third': (0.1, 0.2, 0.3)}


def make_run(folder, accuracies=(), lines=(), **values):
    """Writes what a run leaves: values, a history of ten steps from one to the next."""
    (folder / 'eval').mkdir(parents=True)
    values = {
        'model_dir': f'{folder}  # command line',
        'batch_size': '8  # default',
        'train_examples': '40  # data/train',
        'run_id': f'{folder.name}  # the first start of the run',
        **values,
    }
    text = ''.join(f'{name}: {value}\n' for name, value in values.items())
    (folder / 'hparams.yaml').write_text(f'# The values of this run.\n{text}')
    kept = {name: _kept(text) for name, text in values.items()}
    (folder / 'hparams.json').write_text(json.dumps(kept))
    history = [
        json.dumps({'accuracy': value, 'average_loss': 1 - value, 'global_step': 10 * number})
        for number, value in enumerate(accuracies, 1)
    ]
    if history or lines:
        (folder / 'eval' / 'history.jsonl').write_text('\n'.join([*history, *lines]) + '\n')
    return folder


def _kept(text):
    """What hparams.json says of a value with its origin as a comment."""
    value, _, origin = text.partition('  # ')
    return {'value': yaml.load(value, yaml.BaseLoader), 'origin': origin}


def compare(capsys, *words):
    """The lines that `run.py compare` prints, each as its cells."""
    assert run.main(['compare', *map(str, words)]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def three(tmp_path):
    for rate, (name, accuracies) in zip((0.1, 0.2, 0.1), ACCURACIES.items(), strict=True):
        place = tmp_path / name / 'checkpoints'
        make_run(place, accuracies, learning_rate=f'{rate}  # command line')
    return tmp_path


@pytest.mark.process
def test_a_run_that_nobody_named_is_not_read(three, program, tmp_path):
    damaged = tmp_path / 'elsewhere' / 'out' / 'current' / 'checkpoints'
    damaged.mkdir(parents=True)
    (damaged / 'hparams.yaml').write_text('a: [')
    done = program(ROOT / 'run.py', 'compare', three / 'first', cwd=tmp_path / 'elsewhere')
    assert (done.returncode, done.stderr) == (0, '')


def test_the_best_run_comes_first_with_its_best_step_and_what_differs(three, capsys):
    header, *rows = compare(capsys, three)
    assert ' '.join(header) == 'run accuracy at step average_loss trained epochs learning_rate'
    assert rows == [
        ['second', '0.9500', '30', '0.0500', '30', '6', '0.2'],
        ['first', '0.9000', '20', '0.1000', '30', '6', '0.1'],
        ['third', '0.3000', '30', '0.7000', '30', '6', '0.1'],
    ]


def test_of_a_loss_the_smallest_is_the_best(three, capsys):
    (*_,), *rows = compare(capsys, three, '--sort_by', 'average_loss')
    assert [row[:4] for row in rows] == [
        ['second', '0.0500', '30', '0.9500'],
        ['first', '0.1000', '20', '0.9000'],
        ['third', '0.7000', '30', '0.3000'],
    ]


def test_a_run_without_evaluations_comes_last(three, capsys):
    make_run(three / 'new' / 'checkpoints', learning_rate='0.1  # default')
    assert compare(capsys, three)[-1] == ['new', '-', '-', '-', '-', '-', '0.1']


def test_a_run_that_was_named_and_met_again_is_one_row(three, capsys):
    named = three / 'first' / 'checkpoints'
    (three / 'latest').symlink_to(three / 'second')
    rows = compare(capsys, named, three, f'{named}/')[1:]
    assert sorted(row[0] for row in rows) == ['first', 'second', 'third']


def test_best_checkpoints_are_listed_only_where_they_are_named(three, capsys):
    best = make_run(three / 'first' / 'best', learning_rate='0.1  # command line')
    state = {'metric': 'accuracy', 'snapshots': [{'value': 0.9, 'global_step': 20}]}
    (best / 'best.json').write_text(json.dumps(state))
    assert len(compare(capsys, three)) == 4
    rows = compare(capsys, best, three / 'second')[1:]
    assert ['first/best', '0.9000', '20', '-'] in [row[:4] for row in rows]


def test_an_export_and_folders_far_below_are_no_runs(three, capsys):
    make_run(three / 'export' / '1' / 'assets')
    (three / 'export' / '1' / 'saved_model.pb').touch()
    make_run(three / 'a' / 'b' / 'c' / 'd')
    assert len(compare(capsys, three)) == 4


def test_what_was_evaluated_apart_is_shown_beside(three, capsys):
    found = {'accuracy': 0.85, 'auc': 0.99, 'global_step': 30, 'split': 'validation'}
    for name in ('eval', 'eval_again'):
        (three / 'second' / 'checkpoints' / name).mkdir(exist_ok=True)
        path = three / 'second' / 'checkpoints' / name / 'metrics.json'
        path.write_text(json.dumps(found))
        found |= {'accuracy': 0.1}
    assert '0.8500 validation' in ' '.join(compare(capsys, three)[1])
    rows = compare(capsys, three, '--sort_by', 'auc')
    assert rows[1][:3] == ['second', '0.9900*', '30']
    assert rows[4] == ['*', 'by', 'run.py', 'evaluate']


def test_an_evaluation_with_a_name_is_told_by_it(three, capsys):
    folder = three / 'second' / 'checkpoints' / 'eval_night'
    folder.mkdir()
    found = {'accuracy': 0.85, 'global_step': 30, 'split': 'test'}
    (folder / 'metrics.json').write_text(json.dumps(found))
    assert '0.8500 test, eval_night' in ' '.join(compare(capsys, three)[1])


def test_the_loss_of_batches_is_never_held_against_that_of_images(three, capsys):
    history = three / 'first' / 'checkpoints' / 'eval' / 'history.jsonl'
    history.write_text('{"loss": 0.01, "average_loss": 0.4, "global_step": 5}\n')
    header, *rows = compare(capsys, three, '--sort_by', 'loss')
    assert header[1] == 'average_loss'
    assert [row[:2] for row in rows] == [
        ['second', '0.0500'],
        ['first', '0.4000'],
        ['third', '0.7000'],
    ]


def test_runs_may_be_given_as_words_and_by_flag(three, capsys):
    names = [three / name for name in ('first', 'second')]
    rows = compare(capsys, names[0], '--runs', names[1], '--sort_by', 'accuracy')
    assert [row[0] for row in rows[1:]] == ['second', 'first']


@pytest.mark.parametrize('flag', ['--learning_rate=3', '--model_dir=x', '--no_augmentation'])
def test_an_option_that_it_does_not_use_is_refused(three, flag):
    name = flag.partition('=')[0].replace('no_', '')
    with pytest.raises(ConfigError, match=f'^{name} is not used by this run'):
        run.main(['compare', str(three), flag])


def test_values_and_sets_may_be_asked_for(three, capsys):
    flags = ('--config_set', 'default', '--hyperparameter_set=default', '--verbose', '--explain')
    assert run.main(['compare', str(three), *flags]) == 0
    assert 'runs' in capsys.readouterr().out


def test_an_evaluation_of_the_best_checkpoints_is_found_if_they_are_of_the_run(three, capsys):
    best = three / 'kept'
    place = make_run(three / 'fourth', (0.5,), best_model_dir=f'{best}  # default')
    make_run(best, run_id='fourth  # the first start of the run')
    (best / 'best.json').touch()
    found = {'accuracy': 0.45, 'split': 'test', 'global_step': 10}
    (best / 'eval' / 'metrics.json').write_text(json.dumps(found))
    assert '0.4500 test' in ' '.join(compare(capsys, place, three / 'first')[2])
    (best / 'hparams.json').write_text('{"run_id": {"value": "other", "origin": ""}}')
    assert '0.4500' not in ' '.join(compare(capsys, place, three / 'first')[2])


def test_folders_ids_and_what_only_watches_make_no_difference(tmp_path, capsys):
    for name in ('a', 'b'):
        make_run(tmp_path / name, (0.5,), hooks=f'[{name}]  # command line')
    assert ' '.join(compare(capsys, tmp_path)[-1]) == 'The runs do not differ in their options.'


def test_defaults_that_only_one_run_has_make_no_difference(tmp_path, capsys):
    make_run(tmp_path / 'a', (0.5,), adam_beta1='0.9  # default', momentum='0.8  # command line')
    make_run(tmp_path / 'b', (0.6,))
    rows = compare(capsys, tmp_path)
    assert rows[0][-1] == 'momentum'
    assert [row[-1] for row in rows[1:]] == ['-', '0.8']


def test_many_differences_are_rows_of_a_second_table(tmp_path, capsys):
    for number in range(9):
        values = {f'option_{k}': f'{"x" * 30}{number}{k}  # default' for k in range(5)}
        make_run(tmp_path / f'run_number_{number}', (number / 10,), **values)
    assert run.main(['compare', str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    tables = [table.splitlines() for table in out.split('\n\n')]
    assert len(tables[0]) == 10
    headings = [heading for table in tables[1:] for heading in table[0].split()[1:]]
    assert headings == [f'run_number_{number}' for number in range(8, -1, -1)]
    assert all(
        [line.split()[0] for line in table[1:]] == [f'option_{k}' for k in range(5)]
        for table in tables[1:]
    )


def test_a_long_path_keeps_its_end(tmp_path, capsys):
    for name in ('a', 'b'):
        make_run(tmp_path / name, (0.5,), module=f'/far/away/{"x" * 40}/module_{name}  # default')
    assert run.main(['compare', str(tmp_path)]) == 0
    assert 'x/module_b' in capsys.readouterr().out


def test_damage_is_named_and_left_out(three, capsys, caplog):
    cut = three / 'first' / 'checkpoints'
    (cut / 'hparams.json').unlink()  # an older run
    (cut / 'hparams.yaml').write_text('learning_rate: 0.1\nbatch_')
    history = three / 'second' / 'checkpoints' / 'eval' / 'history.jsonl'
    history.write_text(history.read_text() + '{"accuracy": 1.0, "glo\n[1]\n')
    metrics = three / 'third' / 'checkpoints' / 'eval' / 'metrics.json'
    metrics.write_text('{')
    rows = compare(capsys, three)
    assert [row[0] for row in rows[1:]] == ['second', 'first', 'third']
    assert rows[2][1:] == ['0.9000', '20', '0.1000', '30', '-', '-']
    assert [record.getMessage().partition(': ')[2] for record in caplog.records] == [
        f"{cut}/hparams.yaml:2: column 7: could not find expected ':'",
        f'{history}: 2 damaged lines left out',
        f'{metrics}: damaged, left out',
    ]


def test_a_number_that_is_not_finite_is_never_the_best(tmp_path, capsys):
    values = ('NaN', 'null', 'Infinity', 'true', f'1{"0" * 400}')
    lines = [f'{{"accuracy": {value}, "global_step": 20}}' for value in values]
    make_run(tmp_path / 'a', (0.5,), lines)
    assert compare(capsys, tmp_path)[1][1:3] == ['0.5000', '10']


def test_steps_are_those_of_the_newest_checkpoint(tmp_path, capsys):
    folder = make_run(tmp_path / 'a', (0.5,))
    (folder / 'checkpoint').write_text('model_checkpoint_path: "model.ckpt-15"\nall_model')
    assert compare(capsys, tmp_path)[1][-2:] == ['15', '3']


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ([], 'no runs to compare: run.py compare RUN [RUN ...] [--sort_by METRIC]'),
        (['{0}/nothing'], '{0}/nothing: no such folder'),
        (['{0}', '{0}/empty'], '{0}/empty: no run there, nor below it (no hparams.yaml)'),
        (
            ['{0}', '--sort_by', 'acuracy'],
            "--sort_by: no run has a metric 'acuracy'; did you mean 'accuracy'?",
        ),
    ],
)
def test_wrong_usage_is_one_line(three, words, message):
    (three / 'empty').mkdir()
    with pytest.raises(ConfigError) as error:
        run.main(['compare', *(word.format(three) for word in words)])
    assert str(error.value) == message.format(three)


@pytest.mark.process
def test_names_may_hold_anything(three, program):
    make_run(three / 'a $b\udcff\n', (0.99,), model_dir='odd', run_id='odd')
    done = program('run.py', 'compare', three)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith('a $b??')


@pytest.mark.process
def test_tensorflow_is_not_imported(three, program):
    code = 'import sys, run; run.main(sys.argv[1:]); sys.exit("tensorflow" in sys.modules)'
    done = program('-c', code, 'compare', three)
    assert done.returncode == 0, done.stderr
    assert 'second' in done.stdout


@pytest.mark.graph
def test_remote_runs_are_found_too(three, capsys):
    import tensorflow as tf

    for path in sorted((three / 'first').rglob('*')):
        target = f'ram://compared/{path.relative_to(three)}'
        if path.is_file():
            tf.io.gfile.makedirs(target.rpartition('/')[0])
            tf.io.gfile.copy(path, target, overwrite=True)
    rows = compare(capsys, 'ram://compared')
    assert rows[1][:3] == ['first/checkpoints', '0.9000', '20']


def test_folds_of_each_setting_are_summed_up(tmp_path, capsys):
    for rate, accuracies in (('0.1', (0.5, 0.7)), ('0.2', (0.9, 0.9))):
        for fold, accuracy in enumerate(accuracies, 1):
            make_run(
                tmp_path / f'{rate}-{fold}' / 'checkpoints',
                [accuracy],
                learning_rate=f'{rate}  # command line',
                fold=f'{fold}  # command line',
                eval_split=f'fold{fold}  # auto',
            )
    make_run(
        tmp_path / 'a' / 'checkpoints', [0.8], fold='null  # default', eval_split='test  # auto'
    )
    assert run.main(['compare', str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'folds 1, 2, learning_rate 0.1: accuracy 0.6000, standard deviation 0.1414' in lines
    assert 'folds 1, 2, learning_rate 0.2: accuracy 0.9000, standard deviation 0.0000' in lines
    assert sum(line.startswith('folds') for line in lines) == 2
