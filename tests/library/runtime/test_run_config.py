"""Options to the RunConfig of an Estimator."""

from __future__ import annotations

import pytest

from library.cores import Cores
from library.runtime.distribution import Distribution
from library.runtime.options import CheckpointOptions, SessionOptions
from library.runtime.run_config import run_config, session_config

pytestmark = pytest.mark.graph


@pytest.fixture
def configured(tmp_path, monkeypatch):
    def call(devices=('/cpu:0',), strategy=None, **checkpoints):
        monkeypatch.delenv('TF_CONFIG', raising=False)
        distribution = Distribution(strategy, len(devices), devices)
        options = CheckpointOptions(**checkpoints)
        return run_config(str(tmp_path), 7, options, SessionOptions(), distribution)

    return call


def test_the_options_arrive_in_the_run_config(configured, tmp_path):
    config = configured(keep_checkpoint_max=3, save_summary_steps=20)
    assert config.model_dir == str(tmp_path)
    assert config.tf_random_seed == 7
    assert config.keep_checkpoint_max == 3
    assert config.save_summary_steps == 20


@pytest.mark.parametrize('keep', [-1, 0])
def test_all_checkpoints_can_be_kept(configured, keep):
    assert configured(keep_checkpoint_max=keep).keep_checkpoint_max is None


def test_threads_and_memory_arrive_in_the_session(configured):
    session = session_config(
        SessionOptions(gpu_growth=True, inter_op_threads=2, intra_op_threads=3)
    )
    assert session.gpu_options.allow_growth
    assert session.inter_op_parallelism_threads == 2
    assert session.intra_op_parallelism_threads == 3


def test_without_threads_given_tensorflow_decides(monkeypatch):
    monkeypatch.setattr('library.runtime.run_config.find_cores', lambda: Cores(16, 16))
    session = session_config(SessionOptions())
    assert session.inter_op_parallelism_threads == 0
    assert session.intra_op_parallelism_threads == 0
    assert not session.gpu_options.allow_growth


def test_threads_are_as_many_as_cores_where_not_all_may_be_used(monkeypatch, caplog):
    cores = Cores(3, 16, 'cgroup quota of 2.5')
    monkeypatch.setattr('library.runtime.run_config.find_cores', lambda: cores)
    with caplog.at_level('INFO'):
        session = session_config(SessionOptions(intra_op_threads=1))
    assert caplog.messages == ['3 of 16 cores: cgroup quota of 2.5']
    assert session.inter_op_parallelism_threads == 3
    assert session.intra_op_parallelism_threads == 1


def test_what_trains_arrives_in_the_run_config(configured):
    strategy = object()
    config = configured(devices=('/cpu:0', '/cpu:1'), strategy=strategy)
    assert config.train_distribute is strategy
    # Evaluations have one device.
    assert config.eval_distribute is None
    assert config.session_config.device_count['CPU'] == 2
    assert configured().train_distribute is None
