"""What docs/extending.md and docs/data.md show works as it stands, in a clone, in one run.

Each part of one's own takes one file or one class, and one line in a dict.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import shutil

import pytest

from tests.conftest import ROOT, copy_project, draw_images
from tests.forked import forked

PAGES = {name: (ROOT / 'docs' / f'{name}.md').read_text() for name in ('extending', 'data')}
BLOCK = re.compile(r'^```python\n# ([\w./]+)\n(.*?)^```', flags=re.MULTILINE | re.DOTALL)
RATE, FLAT, STEPS = 0.01, 2, 12  # FLAT epochs, of 4 steps each


def blocks(page, path):
    """A page's code blocks about a file, in their order."""
    return [code for file, code in BLOCK.findall(PAGES[page]) if file == path]


def add_line(path, shown):
    """Puts the one line of a dict's shown lines that the file lacks behind the one before it."""
    lines = path.read_text().splitlines(keepends=True)
    shown = shown.splitlines(keepends=True)
    (new,) = (line for line in shown if line not in lines)
    before = shown[shown.index(new) - 1]
    assert lines.count(before) == 1, before
    lines.insert(lines.index(before) + 1, new)
    path.write_text(''.join(lines))


def add_class(path, code):
    """Puts a class before the file's dict, and its line into that."""
    new, shown = code.rsplit('\n\n\n', 1)
    text = path.read_text()
    (dict_of,) = re.findall(r'\n(?:# .*\n)*[A-Z]+: dict\[.* = \{\n', text)
    path.write_text(text.replace(dict_of, f'\n{new}\n\n{dict_of}'))
    add_line(path, shown)


def add_model(clone):
    (code,) = blocks('extending', 'project/models/backbone.py')
    (clone / 'project' / 'models' / 'backbone.py').write_text(code)
    (shown,) = blocks('extending', 'project/models/__init__.py')
    add_line(clone / 'project' / 'models' / '__init__.py', shown)


def add_source(clone):
    (code,) = blocks('data', 'project/sources/mine.py')
    (clone / 'project' / 'sources' / 'mine.py').write_text(code)
    (shown,) = blocks('data', 'project/sources/__init__.py')
    add_line(clone / 'project' / 'sources' / '__init__.py', shown)


def add_to(name):
    def add(clone):
        (code,) = blocks('extending', f'project/{name}.py')
        add_class(clone / 'project' / f'{name}.py', code)

    return add


ADDITIONS = {
    'model': add_model,
    'source': add_source,
    'optimizer': add_to('optimizers'),
    'schedule': add_to('schedules'),
    'augmentation': add_to('augmentation'),
}


def texts(folder):
    paths = [path for path in folder.rglob('*') if path.is_file() and path.suffix != '.pyc']
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


def differences(before, after):
    """(files added, by file the numbers of lines of each piece that was put into it)."""
    assert not set(before) - set(after)
    pieces = {}
    for name, text in before.items():
        if after[name] != text:
            old, new = (each.splitlines() for each in (text, after[name]))
            codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
            changes = [code for code in codes if code[0] != 'equal']
            assert {kind for kind, *_ in changes} == {'insert'}, changes
            pieces[name] = sorted(last - first for *_, first, last in changes)
    return sorted(set(after) - set(before)), pieces


@pytest.mark.parametrize('name', ADDITIONS)
def test_a_part_of_ones_own_is_one_file_or_one_class_and_one_line(name, tmp_path):
    clone = copy_project(tmp_path, 'run.py', 'convert_dataset.py')
    before = texts(clone)
    ADDITIONS[name](clone)
    added, pieces = differences(before, texts(clone))
    (changed,) = pieces.values()
    # A file and a line, or a class and a line in one file.
    assert changed[0] == 1
    assert len(added) + len(changed) == 2


@pytest.fixture(scope='module')
def clone(tmp_path_factory):
    """A copy of the project with all of the pages' code in it."""
    folder = copy_project(tmp_path_factory.mktemp('clone'), 'run.py', 'convert_dataset.py')
    for add in ADDITIONS.values():
        add(folder)
    line, function = blocks('extending', 'project/losses.py')
    losses = folder / 'project' / 'losses.py'
    text, count = re.subn(r'    each = cross_entropy\(.*\n', line, losses.read_text(), count=1)
    assert count == 1
    losses.write_text(f'{text}\n\n{function}')
    return folder


@pytest.fixture(scope='module')
def trained(clone, program, tmp_path_factory):
    """The folder of a run with all of the pages' code."""
    photos = draw_images(tmp_path_factory.mktemp('photos'), per_class=12)
    shutil.rmtree(photos / 'green')
    labels = {'red': 0, 'blue': 1}
    lines = [f'{name}/{n}.jpg {label}' for name, label in labels.items() for n in range(12)]
    (photos / 'labels.txt').write_text('\n'.join(lines))
    words = re.search(r'^run\.py (--model (?:.*\\\n)*.*)$', PAGES['extending'], flags=re.MULTILINE)
    words = words[1].replace('\\\n', ' ').split()
    words += ['--train_metadata', photos, '--eval_metadata', photos, '--image_size', 16]
    words += ['--train_batch_size', 6, '--train_epochs', 3, '--epochs_between_evals', 3]
    words += ['--learning_rate', RATE, '--inverse_root_epochs', FLAT]
    words += ['--hooks', 'metrics', '--metrics_steps', 1]
    words[words.index('--warmup_epochs') + 1] = '0'
    done = forked('run.py', *words, '--model_dir', 'out/own', cwd=clone)
    assert done.returncode == 0, done.stderr
    return clone / 'out' / 'own'


def test_the_code_passes_make_lint_once_its_imports_are_sorted(clone, program):
    words = ['--config', ROOT / 'pyproject.toml', '--no-cache', '--ignore', 'I001']
    done = program('-m', 'ruff', 'check', *words, 'library', 'project', cwd=clone)
    assert done.returncode == 0, done.stdout


def test_what_is_ones_own_is_known_before_tensorflow_is_imported(clone, program):
    code = (
        'import sys, run\n'
        'run.main(["--model", "backbone", "--optimizer", "sign", "--explain"])\n'
        'print("tensorflow" in sys.modules)'
    )
    done = program('-c', code, cwd=clone)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == 'False'
    for name in ('blocks', 'sign_decay', 'random_erase'):
        assert f'  {name} ' in done.stdout


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_own_metrics_are_in_the_evaluations_and_choose_the_best(trained, clone):
    (evaluation,) = lines(trained / 'eval' / 'history.jsonl')
    assert 0.0 <= evaluation['mean_recall'] <= 1.0
    assert 1 / 2 <= evaluation['certainty'] <= 1.0
    best = json.loads((clone / 'out' / 'current' / 'best' / 'best.json').read_text())
    assert (best['metric'], best['lower']) == ('mean_recall', False)


def test_the_source_named_the_classes(trained):
    text = (trained / 'hparams.yaml').read_text()
    assert re.search(r'class_names: *(\[cat, dog\]|\n- cat\n- dog)', text)


def test_the_backbone_and_its_batch_norm_have_learned(trained):
    import tensorflow as tf

    first, last = (tf.train.load_checkpoint(f'{trained}/model.ckpt-{step}') for step in (0, STEPS))
    names = [name for name in last.get_variable_to_shape_map() if name.startswith('backbone/')]
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
    # At the start both classes are about as probable, and focal loss is a quarter of the other.
    assert first['losses/cross_entropy'] < 0.7 * math.log(2)


def test_the_augmentation_blacks_out_a_square_and_changes_nothing_else(clone, program):
    code = (
        'import numpy as np, tensorflow as tf\n'
        'from project.augmentation import RandomErase\n'
        'image = tf.ones([10, 10, 3])\n'
        'for draws in ([0.0, 0.0], [0.99, 0.5]):\n'
        '    black = RandomErase(0.3).change(image, tf.constant(draws)).numpy()[..., 0] == 0\n'
        '    rows, columns = np.nonzero(black)\n'
        '    print(black.sum(), rows.min(), rows.max(), columns.min(), columns.max())\n'
    )
    done = program('-c', code, cwd=clone)
    assert done.stdout == '9 0 2 0 2\n9 7 9 4 6\n', done.stderr


def test_a_size_that_the_backbone_cannot_take_is_refused_in_one_line(clone, data_dir):
    words = ['--model', 'backbone', '--data_dir', data_dir, '--image_size', 20]
    done = forked('run.py', *words, cwd=clone)
    assert done.returncode == 2
    assert done.stderr == 'error: --image_size: 20 is not a multiple of 16\n'
