"""docs/coming_from.md leaves out no flag, file or class that the older systems' documents name."""

from __future__ import annotations

import re

import pytest

import convert_dataset
import run
from library.config.command_line import parse
from library.config.hparams import resolve
from library.extras import missing_extra
from tests.conftest import ROOT
from tests.shipped import AS_SHIPPED

CATALOG = run.CATALOG

_FILE = ROOT / 'docs' / 'coming_from.md'
PAGE = _FILE.read_text() if _FILE.exists() else ''
_DELETED = pytest.mark.skipif(not PAGE, reason='the owner has deleted the page')
pytestmark = [pytest.mark.unit, AS_SHIPPED, _DELETED]
SECTIONS = {
    'scaffold': 'From the scaffold with the two YAML files',
    'framework': 'From the framework tf_image_classification',
    'boilerplate': 'From the Estimator boilerplate with supervisor.py',
}

# What the documents of the older systems name. Flags with their defaults; None: none is told.
SCAFFOLD_FLAGS = {
    'config_set': 'default',
    'hyperparameter_file': 'hyperparameters.yaml',
    'hyperparameter_set': 'default',
    'model': 'latest',
    'model_dir': 'out/current/checkpoints',
    'best_model_dir': 'out/current/best',
    'train_batch_size': '32',
    'train_epochs': '1000',
    'epochs_between_evals': '100',
    'learning_rate': '1e-4',
    'dropout_rate': '0.5',
    'l2_regularization': '1e-8',
    'xentropy_label_smoothing': '0.',
    'adam_beta1': '0.9',
    'adam_beta2': '0.999',
    'adam_epsilon': '1e-8',
    'batch_size': '100',
    'num_epoch': '1000',
    **dict.fromkeys(['optimizer', 'fine_tuning', 'random_seed', 'xla', 'dataset_dir']),
    **dict.fromkeys(['tfrecord_filename', 'tfrecord_dir', 'max_edge']),
}
FRAMEWORK_FLAGS = {
    'batch_size': '1',
    'train_steps': '20',
    'image_size': '299',
    'eval_freq': '5',
    'eval_throttle_secs': '120',
    'debug': 'false',
    'weight_decay': '0.00004',
    'optimizer': 'rmsprop',
    'adadelta_rho': '0.95',
    'adagrad_initial_accumulator_value': '0.1',
    'adam_beta1': '0.9',
    'adam_beta2': '0.999',
    'opt_epsilon': '1.0',
    'ftrl_learning_rate_power': '-0.5',
    'ftrl_initial_accumulator_value': '0.1',
    'ftrl_l1': '0.0',
    'ftrl_l2': '0.0',
    'momentum': '0.9',
    'rmsprop_momentum': '0.9',
    'rmsprop_decay': '0.9',
    'learning_rate_decay_type': 'exponential',
    'learning_rate': '0.01',
    'end_learning_rate': '0.0001',
    'learning_rate_decay_factor': '0.94',
    'label_smoothing': '0.0',
    'num_epochs_per_decay': '2.0',
    'sync_replicas': 'false',
    'replicas_to_aggregate': '1',
    'save_summary_steps': '100',
    'keep_checkpoint_max': '5',
    **dict.fromkeys(['model_dir', 'warm_start_ckpt', 'train_metadata', 'eval_metadata']),
    **dict.fromkeys(['trainable_scopes', 'checkpoint_exclude_scopes']),
    **dict.fromkeys(['checkpoint_restore_scopes', 'save_checkpoints_steps']),
    **dict.fromkeys(['save_checkpoints_secs', 'checkpoint_path']),
}
BOILERPLATE_FLAGS = dict.fromkeys(['data_dir', 'num_gpus', 'all_reduce_alg'])
FLAGS = {
    'scaffold': SCAFFOLD_FLAGS,
    'framework': FRAMEWORK_FLAGS,
    'boilerplate': BOILERPLATE_FLAGS,
}
OTHER_NAMES = {
    'scaffold': (
        'mobilenet gtx1080ti thinkpadx201t tf.gfile.FastGFile tf.image.decode_and_crop_jpeg '
        'tensorflow_hub.Module tf.data.TFRecordDataset tf.contrib.data.parallel_interleave '
        '.list_files() .from_generator() tf.contrib.data.prefetch_to_device '
        'tf.estimator.EstimatorSpec input_fn model_fn'
    ),
    'framework': (
        'dataset.py estimator_specs.py train_estimator.py utils.py hooks.py EstimatorSpec '
        'get_preproc_fn get_model_fn metric_ops input_fn tf.app.flags.FLAGS slim gcloud job-dir '
        'module-name packages region config myEstimator.py'
    ),
    'boilerplate': (
        'supervisor.py generate_cifar10_tfrecords.py train_and_eval datasets/dataset_interface.py '
        'datasets/cifar10.py flags/_base.py flags/_benchmark.py flags/_conventions.py '
        'flags/_performance.py flags/core.py hooks/hooks_helper.py hooks/metric_hook.py '
        'hooks/throughput_hook.py logger/logger.py models/simple_net.py requirements.txt '
        'requirements.py utils/distribution_utils.py graph.pbtxt checkpoints/2019-02-01-21_26_06 '
        'data/ train.tfrecords validation.tfrecords eval.tfrecords'
    ),
}


def section(system):
    return PAGE.partition(f'## {SECTIONS[system]}\n')[2].partition('\n## ')[0]


def rows(system):
    """The cells of each row of a system's table of flags."""
    table = section(system).partition('| there | here | default there')[2].partition('\n\n')[0]
    return [
        [cell.strip() for cell in line.strip('|').split('|')] for line in table.splitlines()[2:]
    ]


def code(cell):
    """The first word in backticks of a cell, or None."""
    found = re.search(r'`([^`]*)`', cell)
    return found and found[1]


def unchanged(system):
    """The flags that the section lists as unchanged."""
    (names,) = re.findall(r'^Unchanged in name.*?: (.*?)\.$', section(system), re.M | re.DOTALL)
    return re.findall(r'`(\w+)`', names)


def is_of_deleted_extra(name):
    return name not in CATALOG.by_name and bool(missing_extra(name))


@pytest.mark.parametrize('system', SECTIONS)
def test_every_flag_of_an_older_system_is_named(system):
    named = {name for row in rows(system) for name in re.findall(r'`(\w+)`', row[0])}
    named.update(unchanged(system))
    assert sorted(set(FLAGS[system]) - named) == []


@pytest.mark.parametrize('system', SECTIONS)
def test_the_older_systems_defaults_are_those_of_their_documents(system):
    told = {code(row[0]): code(row[2]) for row in rows(system)}
    known = {name: default for name, default in FLAGS[system].items() if default}
    assert {name: told[name] for name in told if name in known} == {
        name: known[name] for name in known if name in told
    }
    assert set(known) <= {*told, *unchanged(system)}


@pytest.mark.parametrize('system', SECTIONS)
def test_nothing_else_that_an_older_system_names_is_left_out(system):
    assert [name for name in OTHER_NAMES[system].split() if name not in section(system)] == []


@pytest.mark.parametrize('system', SECTIONS)
def test_every_new_name_is_an_option_with_the_default_that_is_reported(system, monkeypatch):
    monkeypatch.chdir(ROOT)
    effective = resolve(CATALOG, parse([], CATALOG, list(run.MODES))).values()
    checked = 0
    for row in rows(system):
        if is_of_deleted_extra(code(row[1])):
            continue
        converting = code(row[1]) not in CATALOG.by_name
        catalog = convert_dataset.CATALOG if converting else CATALOG
        option = catalog.by_name[code(row[1])]
        default = option.default if converting else effective.get(option.name, option.default)
        told = option.read(code(row[3]))
        assert told == default or CATALOG.choice(option.name, told) == default, row
        checked += 1
    assert checked >= 3


@pytest.mark.parametrize('system', SECTIONS)
def test_what_is_listed_as_unchanged_has_the_older_systems_default(system, monkeypatch):
    monkeypatch.chdir(ROOT)
    effective = resolve(CATALOG, parse([], CATALOG, list(run.MODES))).values()
    names = [name for name in unchanged(system) if not is_of_deleted_extra(name)]
    for name in names:
        option = CATALOG.by_name[name]
        there = FLAGS[system].get(name)
        if there is not None:
            here = effective.get(name, option.default)
            assert here in (option.read(there), CATALOG.choice(name, there)), name
    assert len(names) >= 10


def changed(row):
    """Whether the values of a row differ, as far as both are told."""
    before, after = row[2].strip('`'), row[3].strip('`')
    as_number = {'off': 'false', '': after, 'Adam': 'adam'}
    before = as_number.get(before, before)
    try:
        return float(before) != float(after)
    except ValueError:
        return before != after


@pytest.mark.parametrize('system', SECTIONS)
def test_every_changed_default_has_its_reason(system):
    here = [row for row in rows(system) if code(row[1]) in CATALOG.by_name]
    assert [row for row in here if changed(row) and not row[4]] == []
    assert system == 'boilerplate' or any(changed(row) for row in here)
