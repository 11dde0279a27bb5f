"""The name of the stream that the tasks of one start share."""

from __future__ import annotations

import pytest

from extras.data_service.job import JOB, begin_job, job_name
from library.errors import ResourceError

pytestmark = pytest.mark.unit


def test_all_tasks_of_a_start_find_the_same_name_and_the_next_start_has_another(tmp_path):
    folder = str(tmp_path / 'new' / 'run')
    names = []
    for _ in range(3):
        begin_job(folder)
        assert job_name(folder) == job_name(folder)
        names.append(job_name(folder))
    assert len(set(names)) == 3
    assert all(names)


@pytest.mark.parametrize('content', [None, '', '[]', '{}', '"x"', '\x00', '{"job"'])
def test_a_task_that_finds_no_name_says_where_it_looked(tmp_path, content):
    if content is not None:
        (tmp_path / JOB).write_text(content)
    with pytest.raises(ResourceError, match='all must have the same --model_dir') as error:
        job_name(str(tmp_path))
    assert str(error.value).startswith(f'{tmp_path / JOB}: cannot be read; ')
    assert error.value.exit_code == 5
