"""The benchmark of training, each part at its smallest; its figures are not looked at."""

from __future__ import annotations

import contextlib
import importlib
import io

import pytest

from benchmarks import whole_runs
from benchmarks.step_rates import Case, Measured, StepClock, measure_data, measure_loop
from benchmarks.training import main
from benchmarks.whole_runs import (
    CONVERTED,
    KERAS,
    OURS,
    VARIANTS,
    Evaluation,
    WholeRun,
    cache_table,
    measure_cache,
    peer_table,
    warm_up,
    watch,
)
from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ConfigError, ResourceError
from project.options import CATALOG
from tests.checks_of_a_run import check

pytestmark = pytest.mark.train

SIMPLE = Case('simple', {'model': 'simple', 'image_size': 16, 'train_batch_size': 4})


def whole_run(*evaluations, seconds):
    return WholeRun(tuple(Evaluation(*each) for each in evaluations), seconds)


def check_rows(rows, names):
    assert [row.name for row in rows] == names
    assert all(row.rate > 0 and row.lowest <= row.ratio <= row.highest for row in rows)
    assert rows[0].ratio == 1.0


def test_synthetic_and_real_data_have_a_rate_each(data_dir):
    rows = measure_data(data_dir, [SIMPLE], seconds=0.05, rounds=1)
    check_rows(rows, ['simple, synthetic', 'simple, real'])


def test_the_estimator_and_a_bare_loop_take_turns_on_images_and_on_features(module_dir):
    flags = {'model': 'hub', 'module': module_dir, 'train_batch_size': 4}
    cases = [Case('hub', flags), Case('head', flags, head_only=True)]
    rows = measure_loop(cases, seconds=0.05, rounds=2)
    check_rows(rows, ['hub, bare loop', 'hub, Estimator', 'head, bare loop', 'head, Estimator'])


def test_the_clock_leaves_out_the_warm_up_and_the_step_after_each_turn(monkeypatch):
    times = iter(
        [
            *(0.0, 0.4, 0.6),  # from 0.5 on the run is warm
            *(1.0, 1.6),  # two steps of a turn of one second
            *(9.0, 9.7, 10.2),  # the first step holds what the others did
        ]
    )
    monkeypatch.setattr('time.perf_counter', lambda: next(times))
    asked = []

    def others(steps):
        asked.append(steps)
        return 0.25

    clock = StepClock(seconds=1.0, turns=2, other=others)
    clock.after_create_session(None, None)
    with pytest.raises(Measured):
        for _ in range(8):
            clock.after_run(None, None)
    assert [steps for steps, _, _ in clock.turns] == asked == [2, 2]
    assert [own for _, own, _ in clock.turns] == pytest.approx([1.0, 1.2])
    assert [other for _, _, other in clock.turns] == [0.25, 0.25]


def test_a_whole_run_knows_its_times():
    run = whole_run((9, 0.5), (10, 0.75), (13, 0.625), seconds=14)
    assert (run.first, run.cycle, run.best) == (9, 2, 0.75)
    assert run.until(0.6) == 10
    assert run.until(0.8) == float('inf')
    assert run.later(2).until(0.75) == 12
    assert run.later(2).seconds == 16
    assert whole_run((9, 0.5), seconds=10).cycle == 9


def test_a_program_is_watched_from_its_start_to_its_end():
    program = """if True:
        print('step 3: accuracy 0.2500  average_loss 1.5000')
        print('step 6: accuracy 0.5000  average_loss 1.2000  (best so far)')
        print('best: step 6, average_loss 1.2000, accuracy 0.5000 on test')"""
    run = watch(['-c', program])
    assert [each.accuracy for each in run.evaluations] == [0.25, 0.5]
    assert 0 < run.first <= run.evaluations[1].seconds <= run.seconds


def test_a_program_that_fails_is_named_with_its_last_line(tmp_path):
    path = tmp_path / 'failing.py'
    path.write_text("import sys\nprint('first')\nprint('last', file=sys.stderr)\nsys.exit(3)")
    with pytest.raises(ResourceError, match=r'failing\.py ended with 3: last'):
        watch([path])


def test_whole_programs_find_compiled_modules_as_on_anyones_second_start(tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONDONTWRITEBYTECODE', '1')
    monkeypatch.setenv('PYTHONPYCACHEPREFIX', '')
    monkeypatch.setattr('benchmarks.whole_runs._IMPORTS', 'import library.errors')
    warm_up(tmp_path)
    assert [path.name for path in tmp_path.rglob('errors.*.pyc')] == ['errors.cpython-311.pyc']


def test_the_table_of_features_compares_whole_runs_with_the_one_on_images():
    runs = zip(VARIANTS, (20, 8, 5), strict=True)
    found = {name: [whole_run((4, 0.5), (4.5, 0.5), seconds=seconds)] for name, seconds in runs}
    lines = [line.split() for line in cache_table(found).splitlines()]
    assert lines[1] == ['images', '20.0', 's', '4.0', 's', '0.5', 's', '0.500', '1.0']
    assert lines[2][-1] == '2.5'
    assert lines[3][-1] == '4.0'


def test_programs_are_timed_to_the_accuracy_that_both_reach():
    found = {
        OURS: [whole_run((5, 0.5), (6, 0.8), (7, 0.9), seconds=8)],
        CONVERTED: [whole_run((2, 0.5), (3, 0.8), (4, 0.9), seconds=5)],
        KERAS: [whole_run((10, 0.4), (20, 0.7), (30, 0.8), seconds=32)],
    }
    _, ours, converted, keras, verdict = peer_table(found).splitlines()
    assert ours.split()[-3:] == ['0.900', '6.0', 's']
    assert converted.split()[-3:] == ['0.900', '3.0', 's']
    assert keras.split()[-3:] == ['0.800', '30.0', 's']
    assert verdict == (
        'Keras takes 4.0 times as long in all, and 5.0 times as long to accuracy 0.800'
    )


def watch_here(words):
    """What `watch` does, in this process; the n-th evaluation comes after n seconds."""
    words = [str(word) for word in words]
    name = words.pop(0) if words[0] != '-m' else words[1]
    arguments = words[2:] if words[0] == '-m' else words
    with contextlib.redirect_stdout(io.StringIO()) as stdout:
        assert importlib.import_module(name.removesuffix('.py')).main(arguments) == 0
    found = map(whole_runs.EVALUATION.match, stdout.getvalue().splitlines())
    accuracies = [float(each[1]) for each in found if each]
    evaluations = (Evaluation(n, accuracy) for n, accuracy in enumerate(accuracies, start=1))
    return WholeRun(tuple(evaluations), len(accuracies) + 1.0)


def test_photos_become_accuracy_by_this_project_and_by_keras(
    data_dir, module_dir, monkeypatch, capsys
):
    monkeypatch.setattr('benchmarks.training.warm_up', lambda folder: None)
    monkeypatch.setattr('benchmarks.whole_runs.watch', watch_here)
    words = ['--parts', 'keras', '--photos', data_dir / 'images', '--module', module_dir]
    words += ['--image_size', 16, '--batch_size', 8, '--epochs', 2]
    assert main([str(word) for word in words]) == 0
    told, table, machine = capsys.readouterr().out.split('\n\n')
    assert told == f'photos: images; module: {module_dir.name}, 32 px'
    title, _, *rows, verdict = table.splitlines()
    assert title == 'keras: 2 epochs of batches of 8'
    names = (OURS, CONVERTED, KERAS)
    # Two evaluations, one a second, and one second more; a conversion of one second before.
    totals = [row.removeprefix(name).split()[0] for row, name in zip(rows, names, strict=True)]
    assert totals == ['4.0', '3.0', '3.0']
    assert verdict.startswith('Keras takes 0.8 times as long in all, and ')
    assert machine.startswith('machine: ')


def test_each_way_to_features_is_a_command_that_run_accepts(
    data_dir, module_dir, tmp_path, monkeypatch
):
    ways = []

    def read(words):
        command_line = parse(['train', *map(str, words[1:])], CATALOG, ['train'])
        hparams = resolve(CATALOG, command_line)
        check(hparams, 'train')
        ways.append((hparams.data_dir, hparams.cache_features, hparams.model_dir))
        return whole_run((1, 0.5), seconds=2)

    monkeypatch.setattr('benchmarks.whole_runs.watch', read)
    flags = {'model': 'hub', 'module': module_dir, 'train_batch_size': 8, 'train_epochs': 1}
    found = measure_cache(data_dir / 'train', tmp_path, flags, rounds=2)
    assert {name: len(runs) for name, runs in found.items()} == dict.fromkeys(VARIANTS, 2)
    assert [cached for _, cached, _ in ways] == [False, True, True] * 2
    # Each round starts without features, and each run without checkpoints.
    assert [len({data for data, _, _ in ways[:3]}), len({data for data, _, _ in ways})] == [1, 2]
    assert len({model_dir for _, _, model_dir in ways}) == 6


def test_without_photos_and_module_both_are_made(capsys):
    words = ['--parts', 'loop', '--images', '8', '--image_size', '16', '--batch_size', '4']
    assert main([*words, '--seconds', '0.05', '--rounds', '1']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == '8 drawn photos; a made-up module (4 convolutions of random weights), 16 px'
    assert lines[4].startswith('simple, bare loop')


def test_photos_without_a_test_split_are_refused(tmp_path):
    (tmp_path / 'train').mkdir()
    with pytest.raises(ConfigError, match='test: no such folder'):
        main(['--photos', str(tmp_path)])
