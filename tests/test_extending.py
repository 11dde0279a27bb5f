"""What docs/extending.md shows works as it stands, in a clone, in one run."""

from __future__ import annotations

import json
import math
import re

import pytest

from tests.conftest import ROOT, copy_project
from tests.forked import forked

PAGE = (ROOT / 'docs' / 'extending.md').read_text()
BLOCK = re.compile(r'^```python\n# ([\w./]+)\n(.*?)^```', flags=re.MULTILINE | re.DOTALL)
RATE, FLAT, STEPS = 0.01, 2, 12  # FLAT epochs, of 4 steps each


def blocks(path):
    """The page's code blocks about a file, in their order."""
    return [code for file, code in BLOCK.findall(PAGE) if file == path]


def put(path, *changes):
    """Replaces each (old, new) text of a file, which must be there once."""
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)


def with_entry(code, name):
    """(what stands before a dict's first line, that line and the entry) of a block."""
    before, first, entry = code.partition(f'{name} = {{\n')
    assert first, name
    return before, first + entry


@pytest.fixture(scope='module')
def clone(tmp_path_factory):
    """A copy of the project with all of the page's code in it."""
    folder = copy_project(tmp_path_factory.mktemp('clone'), 'run.py')
    _put_model(folder / 'project')
    _put_training(folder / 'library' / 'training')
    return folder


def _put_model(project):
    trunk = project / 'models' / 'trunk'
    trunk.mkdir()
    for name in ('__init__.py', 'options.py', 'model.py'):
        (code,) = blocks(f'project/models/trunk/{name}')
        (trunk / name).write_text(code)
    (shown,) = blocks('project/models/__init__.py')
    imported, registry = with_entry(shown, 'MODELS')
    registry_file = project / 'models' / '__init__.py'
    ours = registry_file.read_text()
    old = ours[ours.index('MODELS = {') : ours.index('LATEST =')]
    first = 'from project.models.simple.options'
    put(registry_file, (old, registry), (first, imported.strip() + '\n' + first))
    line, function = blocks('project/model_fn.py')
    anchor = '    loss = tf.add_n(list(losses.values()))\n'
    put(project / 'model_fn.py', (anchor, line + anchor))
    with open(project / 'model_fn.py', 'a') as file:
        file.write('\n\n' + function)


def _put_training(training):
    for code, name in zip(
        blocks('library/training/options.py'), ('OPTIMIZERS', 'SCHEDULES'), strict=True
    ):
        put(training / 'options.py', (f'\n{name} = {{\n', '\n' + ''.join(with_entry(code, name))))
    (optimizer,) = blocks('project/optimizers.py')
    put(training / 'optimizers.py', ('\n_MAKERS = {\n', f'\n{optimizer}'))
    (schedule,) = blocks('project/schedules.py')
    refusal = '    if not isinstance(options, ExponentialOptions | FallingOptions):\n'
    imported = '    FixedOptions,\n'
    put(
        training / 'schedules.py',
        (refusal, schedule + refusal),
        (imported, imported + '    InverseRootOptions,\n'),
    )


@pytest.fixture(scope='module')
def trained(clone, data_dir):
    """The folder of a run with the page's model, loss, optimizer and schedule."""
    words = re.search(r'^run\.py (--model .*)$', PAGE, flags=re.MULTILINE)[1].split()
    words += re.search(r'^run\.py (--optimizer .*)$', PAGE, flags=re.MULTILINE)[1].split()
    words += ['--data_dir', data_dir, '--image_size', 16, '--train_batch_size', 6]
    words += ['--train_epochs', 3, '--epochs_between_evals', 3, '--learning_rate', RATE]
    words += ['--inverse_root_epochs', FLAT, '--hooks', 'metrics', '--metrics_steps', 1]
    words[words.index('--warmup_epochs') + 1] = '0'
    done = forked('run.py', *words, '--model_dir', 'out/own', cwd=clone)
    assert done.returncode == 0, done.stderr
    return clone / 'out' / 'own'


def test_the_code_passes_make_lint_once_its_imports_are_sorted(clone, program):
    words = ['--config', ROOT / 'pyproject.toml', '--no-cache', '--ignore', 'I001']
    done = program('-m', 'ruff', 'check', *words, 'library', 'project', cwd=clone)
    assert done.returncode == 0, done.stdout


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_own_metrics_are_in_the_evaluations_and_choose_the_best(trained, clone):
    (evaluation,) = lines(trained / 'eval' / 'history.jsonl')
    assert 0.0 <= evaluation['mean_recall'] <= 1.0
    assert 1 / 3 <= evaluation['certainty'] <= 1.0
    best = json.loads((clone / 'out' / 'current' / 'best' / 'best.json').read_text())
    assert (best['metric'], best['lower']) == ('mean_recall', False)


def test_the_trunk_and_its_batch_norm_have_learned(trained):
    import tensorflow as tf

    first, last = (tf.train.load_checkpoint(f'{trained}/model.ckpt-{step}') for step in (0, STEPS))
    names = [name for name in last.get_variable_to_shape_map() if name.startswith('trunk/')]
    assert len([name for name in names if name.endswith('moving_mean')]) == 3
    for name in names:
        assert (first.get_tensor(name) != last.get_tensor(name)).any(), name


def test_the_optimizer_makes_steps_of_one_size_and_its_state_is_in_the_checkpoints(trained):
    import tensorflow as tf

    last = tf.train.load_checkpoint(f'{trained}/model.ckpt-{STEPS}')
    means = [name for name in last.get_variable_to_shape_map() if name.endswith('/Sign')]
    assert 'head/logits/kernel/Sign' in means
    assert last.get_tensor('head/logits/kernel/Sign').any()


def test_the_schedule_falls_with_the_root_of_the_steps(trained):
    rates = [each['learning_rate'] for each in lines(trained / 'metrics.jsonl')]
    expected = [RATE * math.sqrt(4 * FLAT / max(step, 4 * FLAT)) for step in range(STEPS)]
    assert rates == pytest.approx(expected, rel=1e-5)


def test_the_loss_is_the_pages(trained):
    (first, *_) = lines(trained / 'metrics.jsonl')
    # At the start all three classes are about as probable, and focal loss is (2/3)^2 of the other.
    assert first['losses/cross_entropy'] < 0.7 * math.log(3)


def test_a_size_that_the_trunk_cannot_take_is_refused_in_one_line(clone, data_dir):
    words = ['--model', 'trunk', '--data_dir', data_dir, '--image_size', 20]
    done = forked('run.py', *words, cwd=clone)
    assert done.returncode == 2
    assert done.stderr == 'error: --image_size: 20 is no multiple of 16\n'
