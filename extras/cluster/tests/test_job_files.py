"""The job files ask for what is there, as far as that shows without a cloud."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from extras.cluster.kind import MULTI_WORKER, kind_of, replicas_of
from extras.cluster.options import ClusterOptions
from extras.cluster.tasks import read_cluster
from extras.cluster.tf_config import TF_CONFIG
from library.config.command_line import parse
from library.config.hparams import resolve
from library.runtime.options import DistributionOptions
from run import CATALOG, MODES
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

JOBS = sorted(ROOT.glob('cloud/*/*.yaml'))
KUBERNETES = [path for path in JOBS if path.parent.name == 'kubernetes']
VERTEX = [path for path in JOBS if path.parent.name == 'vertex_ai']


def name_of(path):
    return str(path.relative_to(ROOT))


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
    return resolve(CATALOG, parse(list(words), CATALOG, list(MODES)))


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
    assert hparams.cluster_timeout > ClusterOptions().cluster_timeout


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
        assert kind_of(ClusterOptions(), cluster) == path.stem


@pytest.mark.parametrize('path', JOBS, ids=name_of)
def test_the_batch_of_a_job_can_be_divided_among_its_machines(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    hparams = values_of(path)
    _, _, environment = next(environments(path))
    options, devices = hparams.take(ClusterOptions), hparams.take(DistributionOptions)
    replicas = replicas_of(options, devices, read_cluster(environment), gpus=1)
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
    user = re.search(r'^USER (\d+):', (ROOT / 'Dockerfile').read_text(), flags=re.MULTILINE)[1]
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
