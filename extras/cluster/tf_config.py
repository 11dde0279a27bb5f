"""Read from TF_CONFIG the addresses of each job, and which of them this process has.

Imports no TensorFlow. What other systems write beside cluster and task is left alone.
"""

from __future__ import annotations

import json
import re
from typing import Any

from library.errors import ConfigError

TF_CONFIG = 'TF_CONFIG'
CHIEF, WORKER, PS, EVALUATOR = 'chief', 'worker', 'ps', 'evaluator'
_MASTER = 'master'

# A host, a name or an IPv6 address in brackets, and a port.
_ADDRESS = re.compile(r'(?:[^\s:/\[\]]+|\[[0-9A-Fa-f:.]+(?:%\w+)?\]):([0-9]{1,5})')
_LAST_PORT = 2**16 - 1
_SHOWN = 60
_LONG = 10
_EXAMPLE = (
    '{"cluster": {"chief": ["host:port"], "worker": ["host:port"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


def parse(text: str) -> tuple[dict[str, list[str]], tuple[str, int]] | None:
    """Read TF_CONFIG, checked as far as it alone tells.

    Args:
      text: of the environment variable.

    Returns:
      By job (chief, worker, ps, evaluator) the addresses of its tasks, [] if it has none; and
      job and index of this process. None if there is no cluster, as there is one process only.

    Raises:
      ConfigError: it describes no cluster, or one that this process is no part of.
    """
    config = _mapping(_from_json(text), 'it')
    task = _mapping(config.get('task', {}), 'task')
    jobs = _jobs(_mapping(config.get('cluster', {}), 'cluster'))
    if not any(jobs.values()):
        _check_alone(task, 'cluster' in config)
        return None
    _check_jobs(jobs)
    return jobs, _own(task, jobs)


def wrong(text: str) -> ConfigError:
    """Make the error that says what is wrong with TF_CONFIG, and what is right."""
    return ConfigError(f'{TF_CONFIG}: {text}')


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f'{text[: _SHOWN - 3]}...'


def _from_json(text: str) -> Any:
    if not text.strip():
        raise wrong(f'it is empty; unset it, or give it as {_EXAMPLE}')
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f'{error.msg} at character {error.pos + 1}'
    except (ValueError, RecursionError):
        where = 'a number too long, or nested too deeply'
    raise wrong(f'no JSON ({where}); right is {_EXAMPLE}')


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise wrong(f'{name} is {_shown(value)}, not an object in braces; right is {_EXAMPLE}')


def _jobs(cluster: dict[str, Any]) -> dict[str, list[str]]:
    """Read the addresses of each job, of all that there are."""
    jobs: dict[str, list[str]] = {CHIEF: [], WORKER: [], PS: [], EVALUATOR: []}
    if CHIEF in cluster and _MASTER in cluster:
        raise wrong('the cluster has a chief and a master, which is its old name: give one')
    for name, addresses in cluster.items():
        job = _job(name)
        if not isinstance(addresses, list):
            raise wrong(f'job {name}: {_shown(addresses)} is not a list of "host:port"')
        for address in addresses:
            jobs[job].append(_address(address, name))
    return jobs


def _job(name: Any) -> str:
    job = CHIEF if name == _MASTER else name
    if job not in (CHIEF, WORKER, PS, EVALUATOR):
        raise wrong(f'no job {_shown(name)}; there are chief, worker, ps and evaluator')
    return str(job)


def _address(value: Any, job: str) -> str:
    found = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if not found or not 1 <= int(found[1]) <= _LAST_PORT:
        raise wrong(
            f'job {job}: {_shown(value)} is not a "host:port" with a port from 1 to {_LAST_PORT}'
        )
    return str(value)


def _check_jobs(jobs: dict[str, list[str]]) -> None:
    for job in (CHIEF, EVALUATOR):
        if len(jobs[job]) > 1:
            raise wrong(f'{len(jobs[job])} tasks of job {job}: there can be one only')
    if not jobs[CHIEF] and not jobs[WORKER]:
        raise wrong('the cluster has neither chief nor worker, so nobody trains')
    seen: dict[str, str] = {}
    for job, addresses in jobs.items():
        for number, address in enumerate(addresses):
            name = f'{job} {number}'
            if address in seen:
                raise wrong(f'{seen[address]} and {name} have the same address {address}')
            seen[address] = name


def _check_alone(task: dict[str, Any], named: bool) -> None:
    """Raise ConfigError for a task without a cluster, but for the one that is there alone."""
    if not task:
        return
    if named:
        raise wrong(f'the cluster is empty, but there is a task; right is {_EXAMPLE}')
    job, index = _job(task.get('type', WORKER)), _index(task.get('index', 0))
    if job not in (CHIEF, WORKER) or index:
        raise wrong(f'a task {job} {index}, but no cluster; right is {_EXAMPLE}')


def _own(task: dict[str, Any], jobs: dict[str, list[str]]) -> tuple[str, int]:
    """Read job and index of this process, as the cluster numbers them."""
    for key in ('type', 'index'):
        if task.get(key) is None:
            raise wrong(f'the task of this process has no {key}; right is {_EXAMPLE}')
    job, index = _job(task['type']), _index(task['index'])
    # An evaluator need not be in the cluster.
    count = 1 if job == EVALUATOR else len(jobs[job])
    if index >= count:
        there = f'{count} of them' if count else 'none'
        raise wrong(f'this process is {job} {index}, but the cluster has {there} (from 0)')
    return job, index


def _index(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _LONG:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise wrong(f'task index {_shown(value)} is not a whole number from 0')
