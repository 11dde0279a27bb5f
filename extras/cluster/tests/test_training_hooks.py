"""Which hooks each task of a cluster trains under, and what they do for each other."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import tensorflow as tf

import run
from extras.cluster.distribution import ClusterDistribution
from extras.cluster.hooks import session_start
from extras.cluster.hooks.consensus import ConsensusHook
from extras.cluster.hooks.scratch_saver import SaveInScratchHook
from extras.cluster.hooks.session_start import AwaitStartHook, OneSessionHook, ReportStartHook
from extras.cluster.hooks.shared_steps import (
    EndAtStepHook,
    SaveSharedStepsHook,
    SharedProgressHook,
)
from extras.cluster.job_notes import has_started, note_started
from extras.cluster.kind import MULTI_WORKER, PARAMETER_SERVER
from extras.cluster.stop_request import TaskStopRequest
from extras.cluster.tasks import Cluster, Task
from extras.cluster.training_hooks import hooks_of_chief, hooks_of_worker
from library.checkpoints.fit import CheckpointFitHook
from library.checkpoints.saver import SaveWhereDueHook
from library.errors import Stopped
from library.hooks.end_where import EndWhereHook
from library.hooks.finite import FiniteLossHook, FiniteVariablesListener
from library.hooks.metrics_log import MetricsLogHook
from library.hooks.progress import ProgressHook
from tests.conftest import ROOT

pytestmark = pytest.mark.graph

CHIEF, WORKER = Task('chief', 0, 'a:1'), Task('worker', 0, 'b:1')
SERVER = Task('ps', 0, 'c:1')


def together(own, tasks=(CHIEF, WORKER)):
    cluster = Cluster(tasks, own)
    return ClusterDistribution(None, len(tasks), ('/cpu:0',), MULTI_WORKER, cluster)


def served(own):
    cluster = Cluster((CHIEF, WORKER, SERVER), own)
    return ClusterDistribution(None, 1, ('/cpu:0',), PARAMETER_SERVER, cluster)


WRITERS = [together(CHIEF), served(CHIEF)]


@pytest.fixture
def experiment(data_dir, tmp_path, monkeypatch):
    """A run of 24 images in batches of 6, for two epochs, as the given part of a cluster."""
    monkeypatch.delenv('TF_CONFIG', raising=False)

    def make(distribution, **flags):
        values = {
            'config_file': ROOT / 'project.yaml',
            'hyperparameter_file': ROOT / 'hyperparameters.yaml',
            'data_dir': data_dir,
            'model': 'simple',
            'model_dir': tmp_path / 'run',
            'train_batch_size': 6,
            'train_epochs': 2,
            'hooks': 'metrics',
            **flags,
        }
        words = [f'--{name}={value}' for name, value in values.items()]
        made = run.open_experiment(['train', *words])
        return dataclasses.replace(made, distribution=distribution)

    return make


@pytest.fixture
def rules():
    """Rules of an early end that are not reached."""
    return SimpleNamespace(is_reached=False)


@pytest.fixture
def hooks_of(experiment, rules, tmp_path):
    def make(distribution, request=None, is_ended=lambda: False, **flags):
        made, request = experiment(distribution, **flags), request or TaskStopRequest()
        if distribution.is_chief:
            return hooks_of_chief(made, request, lambda: rules.is_reached)
        return hooks_of_worker(made, request, is_ended, str(tmp_path / 'scratch'))

    return make


def of_kind(hooks, kind):
    """The hooks of this class, in order."""
    return [hook for hook in hooks if type(hook) is kind]


def saver_of(hooks):
    """The one that saves."""
    (saver,) = (hook for hook in hooks if isinstance(hook, SaveWhereDueHook))
    return saver


WATCHING = [MetricsLogHook, ProgressHook]
IN_STEP = [CheckpointFitHook, OneSessionHook, ConsensusHook, FiniteLossHook]
BY_ITSELF = [FiniteLossHook, CheckpointFitHook, MetricsLogHook, SharedProgressHook]
BY_ITSELF += [SaveSharedStepsHook, *[EndWhereHook] * 3]


@pytest.mark.parametrize(
    ('distribution', 'kinds'),
    [
        (together(CHIEF), [*IN_STEP, *WATCHING, SaveWhereDueHook, EndWhereHook]),
        (together(WORKER), [*IN_STEP, SaveInScratchHook, EndWhereHook]),
        (served(CHIEF), [ReportStartHook, *BY_ITSELF]),
        (
            served(WORKER),
            [FiniteLossHook, CheckpointFitHook, AwaitStartHook, EndWhereHook, EndAtStepHook],
        ),
    ],
    ids=['chief', 'worker', 'served chief', 'served worker'],
)
def test_each_task_has_its_hooks_in_this_order(hooks_of, distribution, kinds):
    """What is not finite ends a run before the saver; what a hook asks for is agreed on before."""
    assert [type(hook) for hook in hooks_of(distribution)] == kinds


@pytest.mark.parametrize('distribution', [*WRITERS, together(WORKER)])
def test_no_variable_is_saved_that_is_not_finite(hooks_of, distribution):
    saver = saver_of(hooks_of(distribution))
    assert [type(each) for each in saver._listeners] == [FiniteVariablesListener]


def saves_at(saver, steps=range(1, 13), seconds=0.0):
    return [step for step in steps if saver._is_due(step, seconds)]


@pytest.mark.parametrize('distribution', [together(CHIEF), together(WORKER), served(CHIEF)])
@pytest.mark.parametrize(
    ('flags', 'steps'),
    [
        ({'epochs_between_evals': 1}, [4, 8]),
        ({'epochs_between_evals': 2}, [8]),
        ({'save_checkpoints_steps': 3}, [3, 6, 8]),
    ],
)
def test_every_task_that_saves_does_so_at_the_same_steps(hooks_of, distribution, flags, steps):
    saver = saver_of(hooks_of(distribution, **flags))
    assert saves_at(saver, range(1, 9)) == steps


def test_who_saves_alone_goes_by_its_own_clock(hooks_of):
    saver = saver_of(hooks_of(served(CHIEF), save_checkpoints_secs=30))
    assert saves_at(saver, [3, 4], seconds=29.9) == []
    assert saves_at(saver, [3, 4], seconds=30) == [3, 4]


def wishes(hooks):
    """Whether a task wants to stop, to end, to save."""
    (consensus,) = of_kind(hooks, ConsensusHook)
    with tf.Graph().as_default():
        consensus.begin()
        (own,) = consensus.before_run(None).feed_dict.values()
    return own.tolist()


def agree(hooks, stop=0, end=0, save=0):
    """Lets so many tasks want each; gives whether this one ends, and its hook that saves."""
    (consensus,) = of_kind(hooks, ConsensusHook)
    consensus.after_run(None, SimpleNamespace(results=[stop, end, save]))
    ends = []
    for hook in of_kind(hooks, EndWhereHook):
        hook.after_run(SimpleNamespace(request_stop=lambda: ends.append(True)), None)
    return bool(ends), saver_of(hooks)


@pytest.mark.parametrize(('own', 'wanted'), [(CHIEF, 1), (WORKER, 0)])
def test_in_step_the_chief_alone_looks_at_the_clock(hooks_of, monkeypatch, own, wanted):
    monkeypatch.setattr(SaveWhereDueHook, 'waited', lambda self: 30.0)
    assert wishes(hooks_of(together(own), save_checkpoints_secs=30)) == [0, 0, wanted]
    assert wishes(hooks_of(together(own), save_checkpoints_secs=31)) == [0, 0, 0]
    assert wishes(hooks_of(together(own), epochs_between_evals=1)) == [0, 0, 0]


@pytest.mark.parametrize('own', [CHIEF, WORKER])
def test_in_step_all_save_when_the_chief_wants_to_whatever_their_clocks_say(hooks_of, own):
    hooks = hooks_of(together(own), save_checkpoints_secs=30)
    _, saver = agree(hooks, save=1)
    assert saves_at(saver, [3, 4], seconds=0) == [3, 4]
    _, saver = agree(hooks)
    assert saves_at(saver, [3, 4], seconds=1000) == []


@pytest.mark.parametrize('own', [CHIEF, WORKER])
def test_in_step_a_signal_in_any_task_ends_all_and_is_reported_as_that(hooks_of, own):
    request = TaskStopRequest()
    hooks = hooks_of(together(own), request)
    assert wishes(hooks)[0] == 0
    assert agree(hooks)[0] is False
    assert agree(hooks, stop=1)[0] is True
    with pytest.raises(Stopped, match='together with another task after a checkpoint'):
        request.raise_if_asked()
    assert wishes(hooks)[0] == 1


def test_in_step_a_task_with_a_signal_goes_on_until_all_know(hooks_of):
    request = TaskStopRequest()
    hooks = hooks_of(together(CHIEF), request)
    request.signal_number = 15
    assert agree(hooks)[0] is False
    assert wishes(hooks) == [1, 0, 0]


def test_in_step_the_chiefs_rules_end_all_and_nobody_calls_it_a_stop(hooks_of, rules):
    request = TaskStopRequest()
    hooks = hooks_of(together(CHIEF), request)
    follower = hooks_of(together(WORKER), request, is_ended=lambda: pytest.fail('it looks'))
    assert wishes(hooks) == [0, 0, 0]
    rules.is_reached = True
    assert wishes(hooks) == [0, 1, 0]
    assert wishes(follower) == [0, 0, 0]
    assert agree(follower, end=1)[0] is True
    request.raise_if_asked()


def ends(hooks, kind=EndWhereHook):
    """Whether a hook of this kind ends training now."""
    asked = []
    for hook in of_kind(hooks, kind):
        hook.after_run(SimpleNamespace(request_stop=lambda: asked.append(True)), None)
    return bool(asked)


def test_beside_parameter_servers_the_evaluations_of_others_end_training(hooks_of, rules):
    hooks = hooks_of(served(CHIEF))
    assert not ends(hooks)
    rules.is_reached = True
    assert ends(hooks)


@pytest.mark.parametrize('distribution', [served(CHIEF), served(WORKER)])
def test_who_is_not_in_step_ends_by_itself_on_a_signal(hooks_of, distribution):
    request = TaskStopRequest()
    hooks = hooks_of(distribution, request)
    assert not ends(hooks)
    request.signal_number = 15
    assert ends(hooks)


def test_beside_parameter_servers_a_worker_ends_when_the_chief_has(hooks_of):
    ended = []
    hooks = hooks_of(served(WORKER), is_ended=lambda: bool(ended))
    assert not ends(hooks)
    ended.append(True)
    assert ends(hooks)


def test_beside_parameter_servers_the_count_of_all_ends_training(hooks_of):
    (hook,) = of_kind(hooks_of(served(WORKER)), EndAtStepHook)
    assert hook._last_step == 8
    hooks = hooks_of(served(CHIEF))
    saver = saver_of(hooks)
    for saver.step, is_end in ((7, False), (8, True), (9, True)):
        assert ends(hooks) == is_end


def test_beside_parameter_servers_the_chief_tells_of_its_session(hooks_of, tmp_path):
    (hook,) = of_kind(hooks_of(served(CHIEF)), ReportStartHook)
    assert not has_started(str(tmp_path / 'run'))
    hook.after_create_session(None, None)
    assert has_started(str(tmp_path / 'run'))


@pytest.mark.parametrize('came', ['start', 'end', 'signal'])
def test_beside_parameter_servers_a_worker_waits_for_that(hooks_of, monkeypatch, tmp_path, came):
    request, looks, ended = TaskStopRequest(), [], []

    def pass_time(seconds):
        looks.append(seconds)
        assert len(looks) < 10
        if len(looks) == 2:
            act()

    acts = {
        'start': lambda: note_started(str(tmp_path / 'run')),
        'end': lambda: ended.append(True),
        'signal': request.follow,
    }
    act = acts[came]
    monkeypatch.setattr(session_start.time, 'sleep', pass_time)
    (hook,) = of_kind(hooks_of(served(WORKER), request, lambda: bool(ended)), AwaitStartHook)
    if came == 'signal':
        with pytest.raises(Stopped):
            hook.begin()
    else:
        hook.begin()
    assert len(looks) == 2


@pytest.mark.parametrize('distribution', [*WRITERS, together(WORKER), served(WORKER)])
def test_only_who_writes_checkpoints_keeps_the_values_of_the_run(hooks_of, tmp_path, distribution):
    (fit,) = of_kind(hooks_of(distribution), CheckpointFitHook)
    with tf.Graph().as_default():
        fit.begin()
    assert (tmp_path / 'run' / 'hparams.yaml').exists() == distribution.is_chief


@pytest.mark.parametrize('distribution', [*WRITERS, together(WORKER)])
def test_a_worker_in_step_saves_along_where_nobody_looks(hooks_of, tmp_path, distribution):
    saver = saver_of(hooks_of(distribution))
    folder = 'run' if distribution.is_chief else 'scratch'
    assert saver._checkpoint_dir == str(tmp_path / folder)
