"""The benchmark of waiting, on small programs; its figures are not looked at."""

from __future__ import annotations

import json

import pytest

from benchmarks.latency import (
    REFERENCE,
    measure_programs,
    stage_table,
    start_table,
)
from library.errors import ResourceError
from tests.conftest import ROOT

pytestmark = pytest.mark.process


def test_every_program_is_timed_once_a_round():
    programs = {REFERENCE: (['-c', 'pass'], 0), 'fails': (['-c', 'raise SystemExit(3)'], 3)}
    found = measure_programs(programs, rounds=2)
    assert {name: len(seconds) for name, seconds in found.items()} == {REFERENCE: 2, 'fails': 2}
    assert all(second > 0 for seconds in found.values() for second in seconds)


def test_a_program_that_ends_otherwise_than_it_should_is_named():
    with pytest.raises(ResourceError, match=r'^run\.py ended with 2: error: --nonsense: unknown'):
        measure_programs({'wrong': (['run.py', '--nonsense', '1'], 0)}, rounds=1)


def test_the_first_table_says_what_comes_on_top_of_python():
    lines = start_table({REFERENCE: [0.02, 0.04, 0.03], 'run.py --help': [0.23]}).splitlines()
    assert lines[1].split() == [REFERENCE, '0.03', '0.00']
    assert lines[2].split() == ['run.py', '--help', '0.23', '0.20']


def test_the_second_table_says_what_share_of_the_whole_each_stage_has():
    stages = {'import TensorFlow': [2.0], 'again': [0.01]}
    lines = stage_table([4.0], stages).splitlines()
    assert lines[1].split()[-1] == '4.000'
    assert lines[2].split() == ['import', 'TensorFlow', '2.000', '0.50']
    assert lines[3].split() == ['each', 'further', 'answer', '0.010']


def test_one_prediction_is_timed_stage_by_stage(trained_copy, program, tmp_path, data_dir):
    trained_copy(tmp_path, model='simple', image_size=16, train_epochs=1)
    image = next((data_dir / 'images' / 'test').rglob('*.jpg'))
    done = program('-m', 'benchmarks.predict_stages', tmp_path / 'checkpoints', image, 2, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    seconds = json.loads(done.stdout.splitlines()[-1])
    assert next(iter(seconds)) == 'options'
    assert list(seconds)[-2:] == ['answer', 'again']
    assert all(each >= 0 for each in seconds.values())
