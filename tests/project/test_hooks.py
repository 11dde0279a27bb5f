"""The hooks that a run asks for by name."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest
import tensorflow as tf

import run
from library.config.command_line import parse
from library.config.hparams import resolve
from library.errors import ConfigError
from library.hooks.by_name import check_names, make_hooks
from library.hooks.watched import watch
from library.runs.metadata import Run
from project.hooks import HOOKS
from project.options import CATALOG
from tests.checks_of_a_run import check
from tests.conftest import ROOT

RUN = Run().found('data', train_examples=24)
PAGE = (ROOT / 'docs' / 'watching.md').read_text()


def made_of(params, hooks=HOOKS):
    return make_hooks(params, RUN, hooks)


def params(*words):
    # Words stand in the folder of the project's sets.
    line = parse(['train', *words], CATALOG, list(run.MODES))
    return resolve(CATALOG, line)


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize('name', HOOKS)
def test_every_hook_can_be_made_before_there_is_a_graph(name, tmp_path):
    (hook,) = made_of(params('--hooks', name, '--model_dir', str(tmp_path)))
    assert isinstance(hook, tf.estimator.SessionRunHook)
    assert list(tmp_path.iterdir()) == []


def test_environment_and_hparams_are_on_by_default():
    assert params().hooks == ('environment', 'hparams')


def test_hooks_come_in_the_order_of_their_names_and_once():
    made = made_of(params('--hooks', 'metrics,profiler,metrics'))
    assert [type(hook).__name__ for hook in made] == ['MetricsLogHook', 'FewTracesHook']


def test_none_is_none():
    assert made_of(params('--hooks=none')) == []


def test_a_function_may_give_no_hook(monkeypatch):
    monkeypatch.setitem(HOOKS, 'metrics', lambda params, run: None)
    assert made_of(params('--hooks', 'metrics')) == []


@pytest.mark.parametrize(
    ('name', 'nearest'), [('profler', "; did you mean 'profiler'?"), ('zzz', None)]
)
def test_an_unknown_name_is_one_line_with_the_nearest(name, nearest):
    with pytest.raises(ConfigError) as error:
        check(params('--hooks', f'metrics,{name}'), 'train')
    known = nearest or f' (there are {", ".join(HOOKS)})'
    assert str(error.value) == f'--hooks: no hook {name!r}{known}'
    assert error.value.exit_code == 2


def test_an_unknown_name_in_a_set_is_reported_with_its_place(tmp_path):
    sets = tmp_path / 'project.yaml'
    sets.write_text('default:\n  hooks: [metric]\n')
    with pytest.raises(ConfigError) as error:
        check_names(params('--config_file', str(sets)), HOOKS)
    assert str(error.value) == (f"{sets}:2: key 'hooks': no hook 'metric'; did you mean 'metrics'?")


@pytest.mark.process
def test_names_are_checked_without_tensorflow(program):
    code = (
        'import sys, run\n'
        'try:\n    run.main(["train", "--hooks", "profler"])\n'
        'except Exception as error:\n    print(error, "tensorflow" in sys.modules)'
    )
    done = program('-c', code)
    assert done.stdout == "--hooks: no hook 'profler'; did you mean 'profiler'? False\n"


def test_the_table_of_hooks_names_all_with_their_options():
    rows = dict(re.findall(r'^\| `(\w+)` \|.*\| (.*) \|$', PAGE, flags=re.MULTILINE))
    rows |= dict.fromkeys(re.findall(r'^\| `(\w+)` \|.*\| \|$', PAGE, flags=re.MULTILINE), '')
    assert set(rows) == set(HOOKS)
    for name, options in rows.items():
        own = {option for option in CATALOG.by_name if option.startswith(f'{name}_')}
        assert set(re.findall(r'--(\w+)', options)) == own


# The hook of your own.


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """project/hooks.py with the page's own hook in it."""
    (code,) = re.findall(
        r'^```python\n# project/hooks.py\n(.*?)^```', PAGE, re.MULTILINE | re.DOTALL
    )
    (line,) = re.findall(r"`('\w+': \w+,)`", PAGE)
    assert len(code.splitlines()) < 20
    text = (ROOT / 'project' / 'hooks.py').read_text()
    before, declaration, after = re.split(r'^(HOOKS: .*= \{\n)', text, flags=re.MULTILINE)
    path = tmp_path / 'clone_hooks.py'
    path.write_text(f'{before}{code}\n\n{declaration}    {line}\n{after}')
    spec = importlib.util.spec_from_file_location('clone_hooks', path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, 'clone_hooks', module)
    spec.loader.exec_module(module)
    return module


def test_a_hook_of_your_own_is_known_by_its_name_and_works(clone):
    chosen = params('--hooks', 'stop_when_learned')
    check_names(chosen, clone.HOOKS)
    with tf.Graph().as_default():
        step = tf.compat.v1.train.get_or_create_global_step()
        watch('losses/cross_entropy', 1 / (1 + tf.cast(step.assign_add(1), tf.float32)))
        steps, train_op = 0, tf.no_op()
        hooks = made_of(chosen, clone.HOOKS)
        with tf.compat.v1.train.SingularMonitoredSession(hooks=hooks) as session:
            while not session.should_stop():
                session.run(train_op)
                steps += 1
    assert steps == 20  # 1 / 21 is the first below 0.05
