"""Give the tests of single tasks a run that is trained, and the folder of one that is not."""

from __future__ import annotations

import shutil

import pytest

from extras.cluster.tests.one_task import SMALL


@pytest.fixture(scope='module')
def finished(trained_copy, tmp_path_factory):
    """A run of 8 steps, evaluated at 4 and 8."""
    folder = tmp_path_factory.mktemp('finished')
    trained_copy(folder, **SMALL)
    return folder


@pytest.fixture
def run_dir(finished, tmp_path):
    """A copy of the run, all of whose checkpoints were evaluated."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    return tmp_path / 'checkpoints'


@pytest.fixture
def folder(tmp_path):
    """The run's folder, as `launch` names it."""
    path = tmp_path / 'checkpoints'
    path.mkdir()
    return path
