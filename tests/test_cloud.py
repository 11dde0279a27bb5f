"""Dockerfile and job files ask for what is there, as far as that shows without engine or cloud."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import PurePosixPath

import pytest
import yaml
from conftest import ROOT
from library.runtime.distribution_kind import MULTI_WORKER, kind_of, replicas_of

import run
from extras.cluster.tasks import TF_CONFIG, read_cluster
from library.config.command_line import parse
from library.config.hparams import resolve
from library.runtime.options import DistributionOptions
from project.options import CATALOG

JOBS = sorted(ROOT.glob('cloud/*/*.yaml'))
KUBERNETES = [path for path in JOBS if path.parent.name == 'kubernetes']
VERTEX = [path for path in JOBS if path.parent.name == 'vertex_ai']
# What the image holds, of all that may lie in a clone.
IN_IMAGE = {'library', 'project', 'run.py', 'convert_dataset.py', 'project.yaml'}
IN_IMAGE |= {'hyperparameters.yaml', 'requirements.txt', 'requirements-cuda.txt', 'LICENSE'}


def name_of(path):
    return str(path.relative_to(ROOT))


# The image.


def instructions():
    """(name, text) of each instruction of the Dockerfile."""
    text = re.sub(r'^\s*#.*\n', '', (ROOT / 'Dockerfile').read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace('\\\n', ' ').splitlines() if line.strip()]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1].strip()) for line in lines]


def texts_of(name):
    return [text for each, text in instructions() if each == name]


def place_of(name, part):
    """The number of the first instruction of this name that says this."""
    return next(
        number
        for number, (each, text) in enumerate(instructions())
        if each == name and part in text
    )


def is_ignored(path):
    """Whether .dockerignore keeps a path out: the last line that fits it, or a folder of it."""
    ignored = False
    for line in (ROOT / '.dockerignore').read_text().splitlines():
        if not line.strip() or line.startswith('#'):
            continue
        pattern = re.escape(line.lstrip('!')).replace(r'\*\*/', '(.*/)?').replace(r'\*', '[^/]*')
        inside = [path, *map(str, PurePosixPath(path).parents)]
        if any(re.fullmatch(pattern, each) for each in inside):
            ignored = not line.startswith('!')
    return ignored


def test_only_instructions_that_docker_knows_are_used():
    known = ['FROM', 'ARG', 'ENV', 'WORKDIR', 'COPY', 'RUN', 'USER', 'ENTRYPOINT', 'CMD']
    assert [name for name, _ in instructions() if name not in known] == []
    assert instructions()[0][0] == 'FROM'


def test_the_image_starts_from_one_slim_python_of_the_projects_version():
    (base,) = texts_of('FROM')
    assert re.fullmatch(r'python:3\.11\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?', base)


@pytest.mark.parametrize('name', ['Dockerfile', '.dockerignore'])
def test_the_image_names_no_address_of_a_registry(name):
    found = re.findall(r'://|index-url|find-links|trusted-host|pypi', (ROOT / name).read_text())
    assert found == []


def test_packages_come_from_the_hashed_locks_and_before_the_code():
    (lock,) = (text.removeprefix('LOCK=') for text in texts_of('ARG'))
    locks, code = (shlex.split(text) for text in texts_of('COPY'))
    assert code == ['.', '.']
    assert lock == 'requirements.txt'
    assert sorted(locks) == ['./', 'requirements-cuda.txt', 'requirements.txt']
    install = place_of('RUN', 'pip install')
    assert place_of('COPY', 'requirements.txt') < install < place_of('COPY', '. .')
    words = shlex.split(instructions()[install][1])
    assert words[-2:] == ['-r', '$LOCK']
    assert {'--require-hashes', '--no-cache-dir', '--only-binary'} <= set(words)


def test_the_image_runs_as_a_user_without_rights_that_kubernetes_can_check():
    (user,) = texts_of('USER')
    assert user == '1000:1000'
    assert f'--uid {user.partition(":")[0]} ' in instructions()[place_of('RUN', 'useradd')][1]
    after = {name for name, _ in instructions()[place_of('USER', user) + 1 :]}
    assert after == {'ENTRYPOINT', 'CMD'}


def test_signals_reach_the_program_as_no_shell_stands_before_it():
    (entry,), (folder,) = texts_of('ENTRYPOINT'), texts_of('WORKDIR')
    program, script = json.loads(entry)
    assert program == 'python'
    assert (ROOT / PurePosixPath(script).relative_to(folder)).samefile(run.__file__)
    (default,) = texts_of('CMD')
    assert parse(json.loads(default), CATALOG, run.MODES).wants_help


def test_what_is_compiled_and_copied_is_in_the_image():
    compiled = instructions()[place_of('RUN', 'compileall')][1].split('-q ')[1].split()
    locks = shlex.split(texts_of('COPY')[0])[:-1]
    assert [name for name in [*compiled, *locks] if is_ignored(name)] == []
    assert all((ROOT / name).exists() for name in [*compiled, *locks])


def test_nothing_but_code_sets_and_locks_goes_into_the_image():
    assert {path.name for path in ROOT.iterdir() if not is_ignored(path.name)} == IN_IMAGE
    kept_out = ['dataset/train/train.json', 'out/current/checkpoints/checkpoint', '.git/config']
    kept_out += ['.venv/bin/python', 'photos/cat/1.jpg', 'key.json', 'shared/data', 'tests/x.py']
    kept_out += ['library/__pycache__/files.pyc', 'library/modes/__pycache__/train.pyc']
    assert [path for path in kept_out if not is_ignored(path)] == []
    assert not is_ignored('library/modes/train.py')


@pytest.mark.parametrize('script', ['run.py', 'convert_dataset.py'])
def test_what_the_image_holds_is_enough_for_its_programs(script, tmp_path):
    app, elsewhere = tmp_path / 'app', tmp_path / 'elsewhere'
    elsewhere.mkdir()
    for name in IN_IMAGE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        app.mkdir(exist_ok=True)
        copy(ROOT / name, app / name)
    words = ['--explain', '--model', 'simple'] if script == 'run.py' else ['--help']
    done = subprocess.run(
        [sys.executable, app / script, *words],
        cwd=elsewhere,
        env={'PATH': os.environ['PATH'], 'PYTHONPYCACHEPREFIX': str(tmp_path / 'compiled')},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert str(app / 'project.yaml') in done.stdout or script != 'run.py'


# The job files.


def tasks_of(path):
    """Of each kind of task, as TF_CONFIG names it: how many there are, and their container."""
    job = yaml.safe_load(path.read_text())
    if path in KUBERNETES:
        return {
            kind.lower(): (replica['replicas'], replica['template']['spec']['containers'][0])
            for kind, replica in job['spec']['tfReplicaSpecs'].items()
        }
    kinds = ('chief', 'worker', 'ps', 'evaluator')
    return {
        kind: (pool['replicaCount'], pool['containerSpec'])
        for kind, pool in zip(kinds, job['workerPoolSpecs'], strict=False)
        if pool
    }


def environments(path):
    """(kind, index, environment) of each task, as the training operator or Vertex AI makes it."""
    kubernetes = path in KUBERNETES
    name = 'flowers-{}-{}.default.svc:2222' if kubernetes else 'cmle-training-{}-1f2e3d-{}:2222'
    counts = {kind: count for kind, (count, _) in tasks_of(path).items()}
    # Neither counts the evaluator among the tasks that call each other.
    cluster = {
        kind: [name.format(kind, index) for index in range(count)]
        for kind, count in counts.items()
        if kind != 'evaluator'
    }
    for kind, count in counts.items():
        for index in range(count):
            config = {'cluster': cluster, 'environment': 'cloud'}
            config['task'] = {'type': kind, 'index': index}
            if not kubernetes:
                config['task']['cloud'] = 'w123456789-tp'
                config['job'] = json.dumps({'scale_tier': 'CUSTOM', 'region': 'europe-west1'})
            yield kind, index, {TF_CONFIG: json.dumps(config)}


def values_of(path):
    """The values of a run with a job file's flags."""
    (words,) = {tuple(container['args']) for _, container in tasks_of(path).values()}
    return resolve(CATALOG, parse(list(words), CATALOG, run.MODES))


def test_there_is_a_job_of_each_kind_for_each_cloud():
    kinds = ['multi_worker.yaml', 'parameter_server.yaml']
    assert [path.name for path in KUBERNETES] == [path.name for path in VERTEX] == kinds


@pytest.mark.parametrize('path', JOBS, ids=name_of)
def test_the_flags_of_a_job_are_options_of_training(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    hparams = values_of(path)
    folders = [getattr(hparams, name) for name in ('data_dir', 'model_dir', 'best_model_dir')]
    assert all(folder.startswith('gs://BUCKET/') for folder in [*folders, hparams.module])
    assert len(set(folders)) == 3
    assert tasks_of(path)['chief'][1]['args'][0] == 'train'
    # Machines of a cloud come one after the other.
    assert hparams.cluster_timeout > DistributionOptions().cluster_timeout


@pytest.mark.parametrize('path', JOBS, ids=name_of)
def test_the_cluster_that_a_cloud_tells_of_is_understood_in_each_task(path):
    counts = {kind: count for kind, (count, _) in tasks_of(path).items()}
    assert counts['chief'] == counts['evaluator'] == 1
    for kind, index, environment in environments(path):
        cluster = read_cluster(environment)
        assert (cluster.own.job, cluster.own.index) == (kind, index)
        assert len(cluster.trainers) == 1 + counts['worker']
        assert len(cluster.parameter_servers) == counts.get('ps', 0)
        assert cluster.is_chief == (kind == 'chief')
        assert all(task.address.endswith(':2222') for task in cluster.tasks)
        assert kind_of(DistributionOptions(), cluster) == path.stem


@pytest.mark.parametrize('path', JOBS, ids=name_of)
def test_the_batch_of_a_job_can_be_divided_among_its_machines(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    hparams = values_of(path)
    _, _, environment = next(environments(path))
    replicas = replicas_of(hparams.take(DistributionOptions), read_cluster(environment), gpus=1)
    assert hparams.train_batch_size % replicas == 0
    assert (replicas > 1) == (path.stem == MULTI_WORKER)


@pytest.mark.parametrize('path', KUBERNETES, ids=name_of)
def test_a_kubernetes_job_has_what_the_operator_asks_for(path):
    job = yaml.safe_load(path.read_text())
    assert (job['apiVersion'], job['kind']) == ('kubeflow.org/v1', 'TFJob')
    assert set(job) == {'apiVersion', 'kind', 'metadata', 'spec'}
    assert set(job['spec']) == {'runPolicy', 'tfReplicaSpecs'}
    replicas = job['spec']['tfReplicaSpecs']
    assert set(replicas) <= {'Chief', 'Worker', 'PS', 'Evaluator'}
    (user,) = (text.partition(':')[0] for text in texts_of('USER'))
    for replica in replicas.values():
        assert set(replica) == {'replicas', 'restartPolicy', 'template'}
        pod = replica['template']['spec']
        (container,) = pod['containers']
        assert container['name'] == 'tensorflow'
        assert container['ports'] == [{'name': 'tfjob-port', 'containerPort': 2222}]
        assert 'command' not in container  # the image's entry point, which gets the signals
        assert pod['terminationGracePeriodSeconds'] > 60
        assert pod['securityContext']['runAsUser'] == int(user)
        # Where no machine has what these ask for, a task would wait for ever.
        assert not {'nodeSelector', 'tolerations', 'affinity'} & set(pod)


@pytest.mark.parametrize('path', KUBERNETES, ids=name_of)
def test_a_kubernetes_job_starts_again_whatever_the_exit_code(path):
    job = yaml.safe_load(path.read_text())['spec']
    policies = {replica['restartPolicy'] for replica in job['tfReplicaSpecs'].values()}
    assert policies == {'OnFailure'}  # ExitCode ends the job at 5, which a lost peer gives
    assert job['runPolicy']['backoffLimit'] > sum(count for count, _ in tasks_of(path).values())
    # The chief's end must not kill the evaluator, which has the last checkpoint before it.
    assert job['runPolicy']['cleanPodPolicy'] == 'None'
    assert job['runPolicy']['ttlSecondsAfterFinished'] >= 3600


@pytest.mark.parametrize('path', VERTEX, ids=name_of)
def test_a_job_of_vertex_ai_has_its_pools_in_the_places_that_make_them_what_they_are(path):
    job = yaml.safe_load(path.read_text())
    assert set(job) == {'workerPoolSpecs', 'scheduling'}
    pools = job['workerPoolSpecs']
    assert [bool(pool) for pool in pools] == [True, True, path.stem != MULTI_WORKER, True]
    for pool in filter(None, pools):
        assert {'replicaCount', 'machineSpec', 'containerSpec'} <= set(pool)
        assert set(pool['containerSpec']) == {'imageUri', 'args'}
        assert re.fullmatch(r'n1-[a-z]+-\d+', pool['machineSpec']['machineType'])
    assert re.fullmatch(r'\d+s', job['scheduling']['timeout'])
    # A worker rejoins parameter servers, and nothing else.
    assert job['scheduling']['restartJobOnWorkerRestart'] == (path.stem == MULTI_WORKER)


@pytest.mark.parametrize('path', JOBS, ids=name_of)
def test_all_tasks_of_a_job_run_one_image_which_has_cuda_where_there_are_gpus(path):
    containers = [container for _, container in tasks_of(path).values()]
    (image,) = {each.get('image') or each['imageUri'] for each in containers}
    asks_for_gpus = 'nvidia.com/gpu' in path.read_text() or 'accelerator' in path.read_text()
    assert re.search(r'/scaffold(-cuda)?:1$', image)
    assert ('-cuda:' in image) == asks_for_gpus == (path.stem == MULTI_WORKER)


def test_the_page_on_clouds_names_every_job_file_and_no_other():
    page = (ROOT / 'docs' / 'cloud.md').read_text()
    assert set(re.findall(r'cloud/\w+/\w+\.yaml', page)) == set(map(name_of, JOBS))
