"""run.py as a person meets it: one line for every mistake, --help, --explain, and no TensorFlow."""

from __future__ import annotations

import re
import signal

import pytest
import yaml

import run
from library.config.fields import HYPERPARAMETERS, PROJECT
from library.runtime.entry import run_program
from tests.conftest import ROOT

pytestmark = pytest.mark.unit


@pytest.fixture
def here(capsys, monkeypatch):
    """Runs run.py in this process; gives exit code, stdout and stderr."""
    monkeypatch.chdir(ROOT)
    before = signal.getsignal(signal.SIGTERM)

    def call(*words):
        status = run_program(run.main, [str(word) for word in words])
        return status, *capsys.readouterr()

    yield call
    signal.signal(signal.SIGTERM, before)


def laughs():
    lines = ['a0: &A0 {train_epochs: 1}']
    lines += [f'a{n}: &A{n}\n  <<: [{", ".join([f"*A{n - 1}"] * 9)}]' for n in range(1, 9)]
    return '\n'.join(lines)


WRONG_FILES = {
    'empty': ('', ': the file is empty'),
    'a list': ('- 1\n', ':1: expected a mapping of names, not a list'),
    'a key written twice': (
        'default:\n  model: hub\n  model: simple\n',
        ":3: set 'default': key 'model' is written twice (before on line 2)",
    ),
    'an unknown key': (
        'default:\n  batchsize: 3\n',
        ":2: set 'default': key 'batchsize': unknown; did you mean 'batch_size'?",
    ),
    'not a number': (
        'default:\n  train_epochs: .nan\n',
        ":2: set 'default': key 'train_epochs': '.nan' is not a whole number",
    ),
    'infinite': (
        'default:\n  train_epochs: .inf\n',
        ":2: set 'default': key 'train_epochs': '.inf' is not a whole number",
    ),
    'negative': (
        'default:\n  batch_size: -8\n',
        ":2: set 'default': key 'batch_size': -8 is out of range, expected >= 1",
    ),
    'too negative': (
        'default:\n  keep_checkpoint_max: -2\n',
        ":2: set 'default': key 'keep_checkpoint_max': -2 is out of range, expected >= -1",
    ),
    'laughs': (laughs(), ': aliases unfold to more than 10000 entries'),
    'nested deeply': ('default: ' + '[' * 3000, ': nested too deeply'),
    'two documents': (
        'default: {}\n---\nother: {}\n',
        ':2: column 1: expected a single document in the stream, but found another document',
    ),
    'a tab': (
        'default:\n\tmodel: hub\n',
        ":2: column 1: found character '\\t' that cannot start any token",
    ),
    'no UTF-8': (b'default:\n  model: h\xfcb\n', ':2: column 11 is not UTF-8 text'),
    'a Python tag': (
        'default:\n  model: !!python/object/apply:os.system ["touch ran"]\n',
        ":2: set 'default': the tag tag:yaml.org,2002:python/object/apply:os.system is not allowed",
    ),
    'a key of the other file': (
        'default:\n  learning_rate: 1\n',
        ":2: set 'default': key 'learning_rate' belongs in hyperparameters.yaml",
    ),
}


@pytest.mark.parametrize('fault', WRONG_FILES)
def test_a_wrong_file_is_one_line_with_file_line_set_and_key(here, write, fault):
    content, message = WRONG_FILES[fault]
    path = write(content)
    assert here('--config_file', path) == (2, '', f'error: {path}{message}\n')


@pytest.mark.parametrize('flag', ['--config_file', '--hyperparameter_file'])
def test_a_missing_file_is_one_line_with_its_path(here, tmp_path, flag):
    path = tmp_path / 'typo.yaml'
    assert here(flag, path) == (2, '', f'error: {path}: no such file\n')
    assert here(flag, tmp_path) == (2, '', f'error: {tmp_path}: is a directory\n')


@pytest.mark.parametrize('value', ['.nan', '.inf', 'nan', 'inf', '-1e-3', '0'])
def test_a_learning_rate_that_is_no_positive_number_is_refused(here, write, value):
    path = write(f'default:\n  learning_rate: {value}\n')
    status, out, err = here('--hyperparameter_file', path)
    assert (status, out) == (2, '')
    assert err.startswith(f"error: {path}:2: set 'default': key 'learning_rate': ")
    assert err.count('\n') == 1


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['trian'], "unknown mode 'trian'; did you mean 'train'?"),
        (
            ['--xla', 'evaluate'],
            "stray word 'evaluate' on the command line; the mode comes first",
        ),
        (['--learning-rat', '1'], "--learning_rat: unknown; did you mean 'learning_rate'?"),
        (['--train', '1'], "--train: unknown; did you mean 'train_steps'?"),
        (['--train_epochs', '-1'], '--train_epochs: -1 is out of range, expected >= 1'),
        (['--learning_rate'], '--learning_rate needs a value: a number'),
        (['--xla', '--no-xla'], '--xla is given twice'),
        (['--xla=maybe'], "--xla: 'maybe' is not true or false"),
        (
            ['--model', 'simple', '--module', 'x'],
            '--module is not used by this run: it is an option of --model hub',
        ),
        (
            ['train', '--validation_name', 'x'],
            '--validation_name is not used by this run: it is an option of the mode evaluate',
        ),
        (['--config_set', 'gtx1080'], "project.yaml: no set 'gtx1080'; did you mean 'gtx1080ti'?"),
        (
            ['--hyperparameter_set', 'mobilnet'],
            "hyperparameters.yaml: no set 'mobilnet'; did you mean 'mobilenet'?",
        ),
        (['--model', 'huub'], "--model: no model 'huub'; did you mean 'hub'?"),
        (
            ['--model_dir', 'x', '--best_model_dir', './x'],
            '--best_model_dir must be another folder than --model_dir',
        ),
    ],
)
def test_a_wrong_command_line_is_one_line(here, words, message):
    assert here(*words) == (2, '', f'error: {message}\n')


def test_keeping_all_checkpoints_is_legal(here, tmp_path):
    words = ['--keep_checkpoint_max', '-1', '--model_dir', tmp_path / 'run', '--explain']
    assert values_of(here(*words))['keep_checkpoint_max'] == ('-1', 'command line')


def test_evaluating_a_folder_without_a_run_is_one_line(here, tmp_path):
    assert here('evaluate', '--model_dir', tmp_path) == (
        2,
        '',
        f'error: {tmp_path}: no run there (--model_dir)\n',
    )


def test_a_file_on_storage_that_nothing_opens_is_one_line(here):
    status, out, err = here('--config_file', 's3://bucket/project.yaml')
    assert (status, out) == (5, '')
    assert err.startswith('error: s3://bucket/project.yaml: s3:// needs the package tensorflow-io')


def values_of(answer):
    """Name -> (value, origin) of a table of --explain."""
    status, out, err = answer
    assert (status, err) == (0, '')
    lines = [line.split(None, 2) for line in out.splitlines() if line.startswith(' ')]
    return {line[0]: tuple(line[1:]) for line in lines}


def test_explain_shows_each_value_with_its_origin(here, tmp_path):
    words = ['--learning_rate', '3e-3', '--no_random_flip', '--model_dir', tmp_path / 'run']
    values = values_of(here(*words, '--explain'))
    assert values['learning_rate'] == ('0.003', 'command line')
    assert values['random_flip'] == ('false', 'command line')
    assert values['batch_size'] == ('32', 'default')
    assert values['train_batch_size'][0] == '32'
    assert re.fullmatch(r'project\.yaml:\d+', values['train_batch_size'][1])
    assert re.fullmatch(r'hyperparameters\.yaml:\d+', values['dropout_rate'][1])
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize(
    ('typed', 'in_set'),
    [
        ('batch_size', 'train_batch_size'),
        ('batch_size', 'eval_batch_size'),
        ('train_epochs', 'train_steps'),
        ('epochs_between_evals', 'save_checkpoints_steps'),
        ('epochs_between_evals', 'save_checkpoints_secs'),
    ],
)
def test_what_is_typed_counts_though_a_set_has_what_stands_for_it(
    here, write, tmp_path, typed, in_set
):
    path = write(f'default:\n  {in_set}: 7\n')
    words = ['--config_file', path, '--model_dir', tmp_path / 'run', '--explain']
    assert values_of(here(*words))[in_set][0] == '7'
    assert values_of(here(f'--{typed}', '5', *words))[in_set] == ('none', 'default')
    both = values_of(here(f'--{typed}', '5', f'--{in_set}', '6', *words))
    assert both[in_set] == ('6', 'command line')


def test_explain_shows_keys_of_another_model_as_unused(here, write, tmp_path):
    path = write('default:\n  fine_tuning: true\n  dropout_rate: 0.1\n')
    words = ['--model', 'simple', '--hyperparameter_file', path, '--model_dir', tmp_path / 'run']
    status, out, err = here(*words, '--explain')
    assert (status, err) == (0, '')
    used, _, unused = out.partition('[unused by this run]\n')
    assert 'dropout_rate' in used
    assert 'fine_tuning' not in used
    assert unused.split() == ['fine_tuning', f'{path}:2']


@pytest.mark.parametrize('config_set', yaml.safe_load((ROOT / PROJECT).read_text()))
@pytest.mark.parametrize('hyper_set', yaml.safe_load((ROOT / HYPERPARAMETERS).read_text()))
def test_all_sets_of_the_scaffold_go_together(here, tmp_path, config_set, hyper_set):
    words = ['--config_set', config_set, '--hyperparameter_set', hyper_set]
    values = values_of(here(*words, '--model_dir', tmp_path / 'run', '--explain'))
    assert values['config_set'] == (config_set, 'command line')


# From here on: what only a process of its own can show.


@pytest.mark.process
def test_the_original_command_without_data_names_the_conversion(program, tmp_path):
    words = '--xla --epochs_between_evals 1000 --train_epochs 10000 --learning_rate 0.0001'
    places = ['--data_dir', tmp_path, '--model_dir', tmp_path / 'run']
    done = program('run.py', *words.split(), *places)
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr.count('\n') == 1
    assert done.stderr.startswith(f'error: {tmp_path}/')
    assert 'no converted images; make them with: ' in done.stderr
    assert f'python convert_dataset.py PHOTOS {tmp_path}' in done.stderr
    assert not (tmp_path / 'run').exists()


@pytest.mark.process
def test_help_is_grouped_and_tells_defaults_ranges_and_units(program):
    done = program('run.py', '--help')
    assert (done.returncode, done.stderr) == (0, '')
    text = ' '.join(done.stdout.split())
    modes = '|'.join(run.MODES)
    assert text.startswith(f'usage: run.py [{modes}] [--OPTION VALUE]')
    for group in ('base', 'data', 'augmentation', 'training', 'performance', 'checkpoints'):
        assert f'\n{group}:\n' in done.stdout
    assert '(default 100, epochs, >= 1)' in text
    assert '(default 0.999, 0 <= value < 1, optimizer: adam and adamw)' in text
    assert '(default float32, one of float32, float16)' in text
    assert '(default none, pixels, 8 <= value <= 4096, model: simple and hub)' in text


@pytest.mark.process
def test_a_mistake_ends_the_process_with_one_line(program, write):
    path = write('default:\n  batchsize: 3\n')
    done = program('run.py', '--config_file', path)
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr == (
        f"error: {path}:2: set 'default': key 'batchsize': unknown; did you mean 'batch_size'?\n"
    )


@pytest.mark.process
def test_verbose_shows_where_a_mistake_was_found(program, tmp_path):
    done = program('run.py', '--verbose', '--config_file', tmp_path / 'none.yaml')
    assert done.returncode == 2
    assert done.stderr.startswith('Traceback (most recent call last):\n')
    assert done.stderr.endswith(f'\nerror: {tmp_path}/none.yaml: no such file\n')


@pytest.mark.process
def test_a_name_that_is_no_utf_8_is_told_not_stumbled_over(program):
    done = program('run.py', '--config_file', b'caf\xe9.yaml'.decode('utf-8', 'surrogateescape'))
    assert (done.returncode, done.stderr) == (2, 'error: caf\\udce9.yaml: no such file\n')


WITHOUT_TENSORFLOW = """
import contextlib, io, sys
import run
from library.runtime.entry import run_program
statuses = []
for words in {commands!r}:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        with contextlib.redirect_stderr(io.StringIO()) as err:
            out.reconfigure = err.reconfigure = lambda **kwargs: None
            statuses.append(run_program(run.main, words))
print(statuses, 'tensorflow' in sys.modules, 'tensorflow_hub' in sys.modules)
"""


@pytest.mark.process
def test_help_explain_and_every_mistake_leave_tensorflow_alone(program, write, tmp_path):
    run_dir = ['--model_dir', str(tmp_path / 'run')]
    commands = [['--help'], ['--explain', *run_dir], ['--data_dir', str(tmp_path), *run_dir]]
    for number, (content, _) in enumerate(WRONG_FILES.values()):
        commands.append(['--config_file', str(write(content, f'{number}.yaml'))])
    commands += [['evaluate', *run_dir], ['--learning_rate', 'x'], ['--nobody'], ['trian']]
    done = program('-c', WITHOUT_TENSORFLOW.format(commands=commands))
    expected = [0, 0] + [2] * (len(commands) - 2)
    assert done.stdout == f'{expected} False False\n', done.stderr


@pytest.mark.parametrize(
    ('flag', 'message'),
    [
        ('--model_dir=', '--model_dir: the text is empty'),
        ('--data_dir=', '--data_dir: the text is empty'),
        ('--batch_size=99999999999999999999', '--batch_size: 99999999999999999999 is too large'),
        ('--inter_op_threads=99999', '--inter_op_threads: 99999 is out of range'),
    ],
)
def test_values_that_no_machine_can_use_are_refused(here, flag, message):
    status, _, errors = here(flag)
    assert status == 2
    assert errors.startswith(f'error: {message}')
