"""What limits a training, and that the page shows what the program prints."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.communication import PUBLISHED, Trained, communication_table
from benchmarks.scale_plan import Plan, main

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs' / 'scaling.md').read_text()
RESULTS = (ROOT / 'benchmarks' / 'RESULTS.md').read_text()
SOURCE = (ROOT / 'benchmarks' / 'scale_plan.py').read_text()
EXAMPLES = re.findall(
    r'```bash\n\.venv/bin/python -m benchmarks\.scale_plan(.*?)\n```\n\n```text\n(.*?)```',
    PAGE + RESULTS,
    flags=re.DOTALL,
)
# 10 MB of gradients; a step of two machines computes for 0.1 s, and sums for 0.01 s at 1 GB/s.
PLAN = Plan(
    Trained('model', 2_500_000),
    machines=2,
    gpus=1,
    cores=4,
    per_core=1000,
    per_gpu=320,
    batch_size=32,
)


def test_a_step_takes_computing_and_summing_up_while_images_are_prepared():
    assert PLAN.input_seconds == pytest.approx(32 / 4000)
    assert PLAN.compute_seconds == pytest.approx(0.1)
    assert PLAN.reduce_seconds(1e9) == pytest.approx(0.01)
    assert PLAN.step_seconds(1e9) == pytest.approx(0.11)
    assert replace(PLAN, cores=1, per_core=100).step_seconds(1e9) == pytest.approx(0.32)


@pytest.mark.parametrize(
    ('changed', 'link', 'limit'),
    [
        ({}, 1e9, 'compute'),
        ({}, 0.09e9, 'all-reduce'),
        ({'cores': 1, 'per_core': 100}, 1e9, 'input'),
        # A smaller batch computes for less, and sends as much.
        ({'batch_size': 3}, 1e9, 'all-reduce'),
    ],
)
def test_the_limit_is_what_takes_the_longest(changed, link, limit):
    assert replace(PLAN, **changed).limit(link) == limit


def test_gpus_of_one_machine_share_its_cores_and_send_within_it(capsys):
    assert main(['--gpus', '8', '--cores', '8', '--per_core', '1000', '--per_gpu', '2000']) == 0
    told = capsys.readouterr().out
    assert 'a GPU trains on more than 1,000 images/s\n' in told
    assert 'NVLink' in told
    assert 'Gbit/s' not in told
    assert set(re.findall(r'\S+$', told, flags=re.MULTILINE)) >= {'input'}


@pytest.mark.parametrize(('words', 'shown'), EXAMPLES)
def test_the_examples_are_what_the_program_prints(words, shown, capsys):
    assert main(shlex.split(words.replace('\\\n', ' '))) == 0
    assert capsys.readouterr().out == shown


@pytest.mark.process
def test_a_plan_is_made_without_tensorflow(program):
    code = "import benchmarks.scale_plan, sys; sys.exit('tensorflow' in sys.modules)"
    assert program('-c', code).returncode == 0


def test_there_is_an_example_of_one_machine_and_of_64_workers():
    assert any('--machines 64' in words for words, _ in EXAMPLES)
    assert any('--machines' not in words for words, _ in EXAMPLES)


def test_the_results_show_the_bytes_of_each_model():
    assert f'```text\n{communication_table(list(PUBLISHED.values()))}\n```' in RESULTS


def test_what_a_core_prepares_is_what_was_measured():
    """1,000 ms over the processor's time for an image, and both cores' rate over two."""
    (row,) = re.findall(r'^\| training: crop, flip, colours \|(.*)\|$', RESULTS, re.MULTILINE)
    rate = float(row.split('|')[2].replace(',', ''))
    (default,) = re.findall(r"'--per_core', type=float, default=(\d+)", SOURCE)
    assert float(default) == pytest.approx(rate / 2, rel=0.01)
