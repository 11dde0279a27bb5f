"""A run that goes on in another precision."""

from __future__ import annotations

import shutil

import pytest

from library.errors import MismatchError

SMALL = {'model': 'simple', 'image_size': 16, 'train_epochs': 1}


@pytest.fixture(scope='module')
def finished(launch, tmp_path_factory):
    """The folder of a run in float32."""
    folder = tmp_path_factory.mktemp('finished')
    assert launch(folder, **SMALL) == 0
    return folder


@pytest.fixture
def half(finished, tmp_path):
    """A copy of the run that says that it was trained in float16."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    values = tmp_path / 'checkpoints' / 'hparams.yaml'
    text = values.read_text()
    assert '\ndtype: float32' in text
    values.write_text(text.replace('\ndtype: float32', '\ndtype: float16'))
    return tmp_path


def test_turning_float16_on_is_one_line(launch, finished):
    # A fixed scale leaves no trace in the checkpoint.
    with pytest.raises(MismatchError) as error:
        launch(finished, **SMALL | {'train_epochs': 2}, dtype='float16', loss_scale=128)
    assert str(error.value) == (
        f'{finished}/checkpoints: was trained with --dtype float32, and not float16: go on with '
        f'that, or choose another --model_dir'
    )
    assert error.value.exit_code == 4


@pytest.mark.parametrize('epochs', [1, 2])
def test_turning_float16_off_is_one_line(launch, half, epochs):
    with pytest.raises(MismatchError, match='with --dtype float16, and not float32: go on'):
        launch(half, **SMALL | {'train_epochs': epochs})


def test_a_run_without_a_checkpoint_may_begin_as_it_likes(launch, half):
    for path in (half / 'checkpoints').glob('*ckpt*'):
        path.unlink()
    (half / 'checkpoints' / 'checkpoint').unlink()
    assert launch(half, **SMALL) == 0


def test_values_of_a_time_without_the_option_say_nothing(launch, half):
    values = half / 'checkpoints' / 'hparams.yaml'
    lines = values.read_text().splitlines(keepends=True)
    values.write_text(''.join(line for line in lines if not line.startswith('dtype:')))
    assert launch(half, **SMALL) == 0
