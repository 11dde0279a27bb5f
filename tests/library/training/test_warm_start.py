"""Which variables a warm start restores, on graphs of a few numbers."""

from __future__ import annotations

import logging
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from library.errors import ConfigError, MismatchError
from library.training.options import FineTuningOptions
from library.training.warm_start import module_weights_digest, warm_start
from tests.forked import forked


def make(values):
    """A graph's variables from names and first values."""
    for name, value in values.items():
        initial = np.int64(value) if name == 'global_step' else np.float32(value)
        tf.compat.v1.get_variable(name, initializer=initial, use_resource=True)


@pytest.fixture
def save(tmp_path):
    """Writes a checkpoint of these names and values; gives its path."""

    def call(values, name='model.ckpt'):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            make(values)
            session.run(tf.compat.v1.global_variables_initializer())
            return tf.compat.v1.train.Saver().save(session, str(tmp_path / name))

    return call


def options(path, exclude=(), restore=()):
    return FineTuningOptions(
        warm_start_ckpt=str(path),
        checkpoint_exclude_scopes=exclude,
        checkpoint_restore_scopes=restore,
    )


def started(values, path, num_classes=3, **scopes):
    """The values with which a graph starts whose own ones would be `values`."""
    with tf.Graph().as_default():
        make(values)
        warm_start(options(path, **scopes), num_classes)
        return run()


def run():
    names = {v.op.name: v for v in tf.compat.v1.global_variables()}
    with tf.compat.v1.train.MonitoredTrainingSession() as session:
        return {name: np.array(value).tolist() for name, value in session.run(names).items()}


def test_what_has_the_same_name_starts_with_the_checkpoints_value(save):
    path = save({'head/bias': [1, 2, 3], 'head/bias/Adam': [8, 8, 8], 'other': [4]})
    assert started({'head/bias': [0, 0, 0], 'head/more': [5]}, path) == {
        'head/bias': [1, 2, 3],
        'head/more': [5],
    }


def test_step_and_averages_are_left_alone(save):
    path = save({'global_step': 70, 'head/bias': [1], 'ema/head/bias': [2]})
    values = {'global_step': 0, 'head/bias': [0], 'ema/head/bias': [0]}
    assert started(values, path) == {'global_step': 0, 'head/bias': [1], 'ema/head/bias': [0]}


def test_a_network_with_other_names_is_refused_with_names_of_both(save):
    path = save({'a': [1], 'b': [1], 'c': [1], 'd': [1], 'global_step': 1})
    with pytest.raises(
        MismatchError,
        match=r'model\.ckpt: a checkpoint of another network, .*\(there: a, b, c \.\.\.; here: x\)',
    ) as error:
        started({'x': [1]}, path)
    assert error.value.exit_code == 4


# Scopes.

VALUES = {'head/bias': [1], 'header/bias': [2], 'module/block7/kernel': [3]}
ZEROS = {name: [0] for name in VALUES}


@pytest.mark.parametrize('scope', ['head', 'head/', 'head/bias'])
def test_an_excluded_scope_keeps_its_own_values(save, scope):
    assert started(ZEROS, save(VALUES), exclude=(scope,)) == {**VALUES, 'head/bias': [0]}


def test_restored_scopes_are_the_only_ones(save):
    restored = started(ZEROS, save(VALUES), restore=('head', 'module/block7'))
    assert restored == {**VALUES, 'header/bias': [0]}


def test_an_exclusion_is_stronger(save):
    restored = started(ZEROS, save(VALUES), restore=('head', 'module'), exclude=('module/block7',))
    assert restored == {**ZEROS, 'head/bias': [1]}


@pytest.mark.parametrize(
    ('scopes', 'flag'),
    [
        ({'exclude': ('haed',)}, 'checkpoint_exclude'),
        ({'restore': ('haed',)}, 'checkpoint_restore'),
    ],
)
def test_a_scope_that_holds_nothing_is_a_mistake(save, scopes, flag):
    expected = rf'--{flag}_scopes haed: no variable .* \(scopes: head, header, module\)'
    with pytest.raises(ConfigError, match=expected) as error:
        started(ZEROS, save(VALUES), **scopes)
    assert error.value.exit_code == 2


def test_a_scope_of_either_side_alone_is_none(save):
    path = save({**VALUES, 'old/kernel': [1]})
    started({**ZEROS, 'new/kernel': [1]}, path, exclude=('old', 'new'))


def test_scopes_that_leave_nothing_are_a_mistake(save):
    with pytest.raises(ConfigError, match='leave nothing to restore'):
        started({'head/bias': [0]}, save(VALUES), exclude=('head',))


def test_scopes_are_those_of_the_graph_where_the_checkpoint_has_none(save):
    path = save({'head/kernel': [1], 'stem/kernel': [2]})
    values = {'head/logits/kernel': [0], 'module/head/kernel': [0], 'module/stem/kernel': [0]}
    restored = {**values, 'module/head/kernel': [1], 'module/stem/kernel': [2]}
    assert started(values, path, exclude=('head',)) == restored
    assert started(values, path, restore=('module/stem',)) == {**values, 'module/stem/kernel': [2]}


# Shapes and types.


def test_other_classes_start_anew_and_the_rest_is_restored(save, capsys):
    path = save({'head/logits/kernel': [[1, 2, 3]], 'head/logits/bias': [1, 2, 3], 'head/w': [5]})
    values = {'head/logits/kernel': [[7, 8]], 'head/logits/bias': [7, 8], 'head/w': [0]}
    assert started(values, path, num_classes=2) == {**values, 'head/w': [5]}
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == 'the classes differ (3 there, 2 here): the last layer starts over'
    assert '  skipped   head/logits/bias    [2]     (other classes: [3] there)' in lines


def test_other_classes_may_leave_nothing_to_restore(save):
    assert started({'head/bias': [7, 8]}, save({'head/bias': [1]}), 2) == {'head/bias': [7, 8]}


@pytest.mark.parametrize(
    ('here', 'num_classes'),
    [
        ({'head/hidden': [[0, 0]]}, 3),  # as many as there are no classes
        ({'head/hidden': [[0], [0]]}, 1),  # not in the last dimension alone
        ({'head/hidden': [0, 0]}, 2),  # of another rank
    ],
)
def test_any_other_shape_is_refused_with_the_way_out(save, here, num_classes):
    path = save({'head/hidden': [[1, 2, 3]], 'head/bias': [1]})
    shape = list(np.shape(here['head/hidden']))
    with pytest.raises(MismatchError) as error:
        started({**here, 'head/bias': [0]}, path, num_classes)
    assert error.value.exit_code == 4
    assert str(error.value) == (
        f'{path}: head/hidden has the shape [1, 3] there and {shape} in this run: leave it out '
        f'with --checkpoint_exclude_scopes head'
    )


def test_a_module_has_no_classes(save):
    with pytest.raises(MismatchError, match=r'module/bias has the shape \[3\] there and \[2\]'):
        started({'module/bias': [0, 0]}, save({'module/bias': [1, 2, 3]}), num_classes=2)


def test_a_single_number_is_not_taken_for_one_of_other_classes(save):
    with pytest.raises(MismatchError, match=r'head/bias has the shape \[\] there and \[2\] in'):
        started({'head/bias': [0, 0]}, save({'head/bias': 1}), num_classes=2)


def test_another_type_is_refused(save):
    with tf.Graph().as_default():
        tf.compat.v1.get_variable('head/count', initializer=np.int32(3))
        with pytest.raises(MismatchError, match='head/count is float32 there and int32 in this'):
            warm_start(options(save({'head/count': 1.0})), 3)


# The table.


def test_the_table_counts_by_scope_and_names_the_few(save, capsys, caplog):
    layers = {f'module/block{n}/w{k}': [1, 1] for n in (1, 2) for k in range(4)}
    path = save({**layers, 'head/bias': [1]})
    values = {**layers, 'module/new/w': [1], 'head/bias': [0], 'head/more': [0]}
    with caplog.at_level(logging.DEBUG, logger='library'):
        started(values, path, exclude=('module/block2',))
    assert capsys.readouterr().out.splitlines() == [
        f'warm start from {path}:',
        '  restored  module/block1/  4 variables, 8 values',
        '  restored  head/bias       [1]',
        '  skipped   module/block2/  4 variables, 8 values  (checkpoint_exclude_scopes)',
        '  new       module/new/w    [1]                    (from the module)',
        '  new       head/more       [1]                    (not in the checkpoint)',
    ]
    assert 'module/block1/w3: restored' in caplog.text
    assert 'module/new/w: new (from the module)' in caplog.text


def test_a_whole_module_of_one_restore_status_is_one_line(save, capsys):
    layers = {f'module/block{n}/w': [[1] * 500] for n in range(4)}
    started({**layers, 'head/bias': [0]}, save({'head/bias': [1]}))
    assert '  new       module/    4 variables, 2,000 values  (from the module)' in (
        capsys.readouterr().out.splitlines()
    )


# SavedModels.


@pytest.fixture(scope='module')
def trained_module(tmp_path_factory):
    """A saved network whose every value is its own, batch norm's averages included."""
    layers = tf.keras.layers
    network = tf.keras.Sequential(
        [
            layers.InputLayer((4, 4, 3)),
            layers.Conv2D(2, 3, name='conv'),
            layers.BatchNormalization(name='norm'),
            layers.GlobalAveragePooling2D(),
        ]
    )
    network.set_weights([np.full(w.shape, n + 1.0) for n, w in enumerate(network.get_weights())])
    folder = tmp_path_factory.mktemp('trained')
    tf.saved_model.save(network, str(folder))
    for weight in network.weights:
        weight.assign(tf.zeros_like(weight))
    tf.saved_model.save(network, str(folder / 'untrained'))
    return folder


EXPECTED = {
    'module/conv/kernel': 1,
    'module/conv/bias': 2,
    'module/norm/gamma': 3,
    'module/norm/beta': 4,
    'module/norm/moving_mean': 5,
    'module/norm/moving_variance': 6,
}


def add_module(folder, trainable):
    with tf.compat.v1.variable_scope('module'):
        hub.KerasLayer(str(folder), trainable=trainable)(tf.zeros([1, 4, 4, 3]))


@pytest.mark.parametrize('trainable', [False, True])
def test_a_saved_model_fills_a_module_averages_included(trained_module, trainable):
    with tf.Graph().as_default():
        add_module(trained_module / 'untrained', trainable)
        warm_start(options(trained_module), 3)
        assert {name: np.unique(value).tolist() for name, value in run().items()} == {
            name: [value] for name, value in EXPECTED.items()
        }


def test_names_are_found_in_the_saved_model_where_the_checkpoint_keeps_none(
    trained_module, tmp_path
):
    folder = without_names(trained_module, tmp_path / 'nameless')
    with tf.Graph().as_default():
        add_module(trained_module / 'untrained', trainable=False)
        warm_start(options(folder), 3)
        assert {name: np.unique(value).tolist() for name, value in run().items()} == {
            name: [value] for name, value in EXPECTED.items()
        }


def without_names(source, folder):
    """A copy of a SavedModel with keys only, as TensorFlow writes it for unnamed variables."""
    shutil.copytree(source, folder)
    prefix = str(source / 'variables' / 'variables')
    reader = tf.train.load_checkpoint(prefix)
    names = sorted(reader.get_variable_to_shape_map())
    values = [reader.get_tensor(name) for name in names]
    graph = TrackableObjectGraph.FromString(reader.get_tensor('_CHECKPOINTABLE_OBJECT_GRAPH'))
    for node in graph.nodes:
        for attribute in node.attributes:
            attribute.full_name = ''
    values[names.index('_CHECKPOINTABLE_OBJECT_GRAPH')] = graph.SerializeToString()
    tf.raw_ops.SaveV2(
        prefix=str(folder / 'variables' / 'variables'),
        tensor_names=names,
        shape_and_slices=[''] * len(names),
        tensors=[tf.constant(value) for value in values],
    )
    return folder


def test_two_variables_of_one_name_are_not_guessed_between(tmp_path):
    module = tf.Module()
    module.first, module.second = (tf.Variable([n], name='scale') for n in (1.0, 2.0))
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(MismatchError, match='2 variables are called scale: leave it out with'):
        started({'module/scale': [0]}, tmp_path)


def test_a_runs_head_is_never_taken_for_a_modules(save):
    path = save({'global_step': 1, 'head/kernel': [1]})
    values = {'head/kernel': [0], 'module/head/kernel': [5]}
    assert started(values, path) == {'head/kernel': [1], 'module/head/kernel': [5]}


ON_TWO_DEVICES = """
import sys
import tensorflow as tf
import tensorflow_hub as hub
from library.training.options import FineTuningOptions
from library.training.warm_start import warm_start

trained, untrained, model_dir = sys.argv[1:]
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices('CPU')[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

def model_fn(features, mode, config):
    with tf.compat.v1.variable_scope('module'):
        hub.KerasLayer(untrained, trainable=True)(tf.zeros([1, 4, 4, 3]))
    warm_start(FineTuningOptions(warm_start_ckpt=trained), 3)
    train_op = tf.compat.v1.train.get_global_step().assign_add(1)
    return tf.estimator.EstimatorSpec(mode, loss=tf.reduce_sum(features), train_op=train_op)

strategy = tf.distribute.MirroredStrategy(
    ['/cpu:0', '/cpu:1'], cross_device_ops=tf.distribute.ReductionToOneDevice()
)
session = tf.compat.v1.ConfigProto(
    device_count={'CPU': 2}, allow_soft_placement=True, inter_op_parallelism_threads=16
)
config = tf.estimator.RunConfig(model_dir, train_distribute=strategy, session_config=session)
estimator = tf.estimator.Estimator(model_fn, config=config)
estimator.train(lambda: tf.data.Dataset.from_tensors([1.0]).repeat(), steps=1)
"""


@pytest.mark.process
def test_under_a_strategy_each_device_starts_with_the_checkpoints_values(trained_module, tmp_path):
    folders = (trained_module, trained_module / 'untrained', tmp_path)
    done = forked('-c', ON_TWO_DEVICES, *folders)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [  # once, and not once for each device
        f'warm start from {trained_module}/variables/variables:',
        '  restored  module/  6 variables, 64 values',
    ]
    path = tf.train.latest_checkpoint(str(tmp_path))
    names = [name for name, _ in tf.train.list_variables(path) if name.startswith('module/')]
    # The second device's copies lie in the checkpoint too: a graph lists them by themselves.
    found = {name: np.unique(tf.train.load_variable(path, name)).tolist() for name in names}
    copies = {f'{name}/replica_1': value for name, value in EXPECTED.items()}
    assert found == {name: [value] for name, value in (EXPECTED | copies).items()}


# What there is to start from: the digest of a module's weights.


def test_the_digest_is_of_the_modules_weights_alone(save):
    values = {'global_step': 1, 'module/w': [1, 2], 'head/bias': [1]}
    first = module_weights_digest(options(save(values)))
    others = {'global_step': 2, 'head/bias': [5], 'ema/module/w': [3, 3]}
    others |= {'module/w/Adam': [1, 1], 'module/beta1_power': 0.9}
    assert module_weights_digest(options(save({**values, **others}, 'later'))) == first
    changed = module_weights_digest(options(save({**values, 'module/w': [1, 3]}, 'changed')))
    assert changed not in (None, first)


def test_a_checkpoint_without_a_module_has_no_digest(save):
    path = save({'global_step': 1, 'head/bias': [1], 'head/bias/Adam': [1]})
    assert module_weights_digest(options(path)) is None


@pytest.mark.parametrize('scopes', [{'exclude': ('module',)}, {'restore': ('head',)}])
def test_what_the_scopes_leave_out_does_not_count(save, scopes):
    path = save({'global_step': 1, 'head/bias': [1], 'module/w': [1]})
    assert module_weights_digest(options(path, **scopes)) is None


def test_a_saved_model_has_the_digest_of_a_run_with_its_weights(trained_module, tmp_path):
    assert module_weights_digest(options(trained_module)) is not None
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.train.get_or_create_global_step()
        add_module(trained_module, trainable=True)
        session.run(tf.compat.v1.global_variables_initializer())
        path = tf.compat.v1.train.Saver().save(session, str(tmp_path / 'model.ckpt'))
    assert module_weights_digest(options(path)) == module_weights_digest(options(trained_module))
