"""Options to the RunConfig of an Estimator."""

import pytest

from library.errors import ConfigError
from library.runtime.options import CheckpointOptions, SessionOptions
from library.runtime.run_config import run_config, session_config


@pytest.fixture
def configured(tmp_path, monkeypatch):
    def call(tf_config=None, **checkpoints):
        monkeypatch.delenv('TF_CONFIG', raising=False)
        if tf_config is not None:
            monkeypatch.setenv('TF_CONFIG', tf_config)
        return run_config(str(tmp_path), 7, CheckpointOptions(**checkpoints), SessionOptions())

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


def test_without_threads_given_tensorflow_decides():
    session = session_config(SessionOptions())
    assert session.inter_op_parallelism_threads == 0
    assert session.intra_op_parallelism_threads == 0
    assert not session.gpu_options.allow_growth


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'Expecting value'),
        ('{', 'Expecting property name'),
        ('[1]', "'list' object has no attribute"),
        ('{"cluster": []}', '`cluster` must be a dictionary'),
        ('{"cluster": {"worker": ["a:1"]}}', 'it must have one "chief" node'),
        (
            '{"cluster": {"chief": ["a:1"]}, "task": {"type": "cook", "index": 0}}',
            'cook is not a valid task_type',
        ),
    ],
)
def test_a_tf_config_that_describes_no_cluster_is_one_line(configured, text, message):
    with pytest.raises(ConfigError) as caught:
        configured(text)
    line = str(caught.value)
    assert line.startswith('TF_CONFIG: ')
    assert message in line
    assert '\n' not in line
