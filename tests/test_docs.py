"""What the pages in docs/ tell people to write and to type works as it stands."""

from __future__ import annotations

import importlib.util
import re
import shlex

import pytest

import convert_dataset
import run
from library.config.command_line import parse
from library.config.fields import options_of
from library.config.hparams import read_options, resolve
from library.errors import ScaffoldError
from library.extras import FLAGS
from library.preparation.encoding_options import EncodingOptions
from library.records.manifest import read_manifest
from project.optimizers import OPTIMIZERS
from project.options import CATALOG
from project.schedules import SCHEDULES
from project.sources import SOURCES
from scripts.options_page import current_page
from tests.conftest import ROOT, copy_project, draw_images
from tests.forked import forked

pytestmark = pytest.mark.unit

PAGES = {path.name: path.read_text() for path in ROOT.glob('docs/*.md')}
PAGES['docs/README.md'] = PAGES.pop('README.md')
PAGES['README.md'] = (ROOT / 'README.md').read_text()
# Those of the extras that this clone has.
PAGES |= {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.glob('extras/*/README.md')}
BLOCK = re.compile(r'^```(\w*)\n(.*?)^```', flags=re.MULTILINE | re.DOTALL)

# Options on our pages that belong to others.
OF_OTHERS = {
    'batching_parameters_file': 'TensorFlow Serving',
    'enable_batching': 'TensorFlow Serving',
    'build-arg': 'docker',
    'entrypoint': 'docker',
    'gpus': 'docker',
    'rm': 'docker',
    'user': 'docker',
    'config': 'gcloud',
    'display-name': 'gcloud',
    'region': 'gcloud',
    'ours': 'git',
    'allow-unrelated-histories': 'git',
    'cases': 'benchmarks.distribution',
    'cores': 'benchmarks.scale_plan',
    'machines': 'benchmarks.scale_plan',
    'per_gpu': 'benchmarks.scale_plan',
    'blocks': 'the model of extending.md',
    'random_erase': 'the augmentation of extending.md',
    'logdir': 'tensorboard',
    'no-deps': 'pip',
    'require-hashes': 'pip',
    'upgrade': 'uv',
    'upgrade-package': 'uv',
}
# By extra, on its own page.
OF_OTHERS_ON_PAGES_OF = {
    'beam': (
        *('direct_num_workers', 'direct_running_mode', 'environment_config', 'environment_type'),
        *('flink_master', 'project', 'region', 'sdk_container_image', 'sdk_location'),
        *('spark_master_url', 'temp_location'),
    ),
    'cluster': ('evaluator', 'ps'),
    'data_service': ('port', 'dispatcher', 'host'),
}
for extra, names in OF_OTHERS_ON_PAGES_OF.items():
    if f'extras/{extra}/README.md' in PAGES:
        OF_OTHERS |= dict.fromkeys(names, extra)


def python_file(page, path):
    """The code block that names this file in its first line."""
    blocks = BLOCK.findall(PAGES[page])
    (code,) = (code for kind, code in blocks if kind == 'python' and code.startswith(f'# {path}\n'))
    return code


def commands(program):
    """(page, words) of each command on a page, in a block or within the text."""
    found = []
    for page, text in PAGES.items():
        lines = [
            line
            for kind, code in BLOCK.findall(text)
            if kind == 'bash'
            for line in code.replace('\\\n', ' ').splitlines()
        ]
        inline = re.findall(rf'`({re.escape(program)} [^`]+)`', BLOCK.sub('', text))
        for line in [*lines, *inline]:
            words = shlex.split(line, comments=True)
            if program in words[:2]:
                found.append((page, words[words.index(program) + 1 :]))
    return found


def test_there_are_pages_and_commands_to_test():
    assert {'README.md', 'data.md', 'scale.md', 'decisions.md'} <= set(PAGES)
    assert len(commands('run.py')) >= 8
    assert len(commands('convert_dataset.py')) >= 5


def refused(program, read):
    """The commands on our pages that the program would refuse, each with what it would say."""
    found = []
    for page, words in commands(program):
        try:
            read(words)
        except ScaffoldError as error:
            found.append(f'{page}: {program} {shlex.join(words)}: {error}')
    return found


def test_every_command_of_run_is_one():
    def read(words):
        line = parse(words, run.CATALOG, list(run.MODES))
        if not line.wants_help:
            resolve(run.CATALOG, line)

    assert refused('run.py', read) == []


def test_every_command_of_convert_dataset_is_one():
    def read(words):
        line = parse(words, convert_dataset.CATALOG)
        for options in convert_dataset.CATALOG.always:
            read_options(options, line, convert_dataset.CATALOG)

    assert refused('convert_dataset.py', read) == []


def test_every_option_on_a_page_is_one():
    ours = {
        option.name
        for catalog in (CATALOG, convert_dataset.CATALOG)
        for option in catalog.by_name.values()
    }
    # A page may name an option of an extra that this clone does not have.
    ours.update(*FLAGS.values())
    known = {*ours, *OF_OTHERS, 'help'}
    named = [
        (page, name)
        for page, text in PAGES.items()
        for name in re.findall(r'(?<![\w-])--(?:no_)?([a-z][\w-]*)', text)
    ]
    assert [f'{page}: --{name}' for page, name in named if name not in known] == []


def test_no_option_of_others_is_listed_that_no_page_names():
    named = re.findall(r'(?<![\w-])--([a-z][\w-]*)', ' '.join(PAGES.values()))
    assert sorted(set(OF_OTHERS) - set(named)) == []


def is_of_deleted_extra(name):
    parts = name.removeprefix('docs/../').split('/')
    return parts[0] == 'extras' and not ROOT.joinpath(*parts[:2]).exists()


def test_every_file_that_a_page_names_is_there():
    # A run or a reader writes them.
    own = ('hparams.yaml', 'project/sources/mine.py', 'project/models/backbone/')
    missing = []
    for page, text in PAGES.items():
        if page == 'README.md':  # it has a test of its own, in test_readme.py
            continue
        folders = re.findall(r'`((?:project|library|docs|tests)/[\w/.]*)`', text)
        linked = re.findall(r'\]\(((?!http)[\w/.]+)\)', text)
        beside = re.findall(r'`(requirements[\w-]*\.\w+|[\w-]+\.yaml)`', text)
        folder = page.rpartition('/')[0] or 'docs'
        places = [*folders, *beside, *(f'{folder}/{name}' for name in linked)]
        places = [name for name in places if not is_of_deleted_extra(name)]
        missing += [f'{page}: {name}' for name in places if not (ROOT / name).exists()]
    assert [each for each in missing if each.partition(': ')[2] not in own] == []


def test_every_target_of_make_and_every_module_on_a_page_is_there():
    makefile = (ROOT / 'Makefile').read_text()
    targets = set(re.findall(r'^([\w-]+):.*##', makefile, flags=re.MULTILINE))
    missing = []
    for page, text in PAGES.items():
        parts = re.findall(r'`[^`\n]+`', text)
        code = ' '.join([*parts, *(block for _, block in BLOCK.findall(text))])
        named = set(re.findall(r'\bmake ([a-z][a-z-]*)', code))
        missing += [f'{page}: make {target}' for target in sorted(named - targets)]
        modules = re.findall(r'python -m ([\w.]+)', code)
        missing += [f'{page}: {name}' for name in modules if importlib.util.find_spec(name) is None]
    assert missing == []


def test_the_table_of_sources_names_all_and_no_others():
    table = re.findall(r'^\| (`\w+`(?:, `\w+`)*) \|', PAGES['data.md'], flags=re.MULTILINE)
    assert set(re.findall(r'\w+', ' '.join(table))) == set(SOURCES)


@pytest.mark.parametrize(
    ('flag', 'choices'), [('optimizer', OPTIMIZERS), ('learning_rate_decay_type', SCHEDULES)]
)
def test_the_tables_of_training_name_all_choices_with_their_own_parameters(flag, choices):
    table = PAGES['training.md'].partition(f'| `--{flag}` |')[2].partition('\n\n')[0]
    rows = re.findall(r'^\| `(\w+)` \|.*?\|?([^|]*) \|$', table, flags=re.MULTILINE)
    told = {name: set(re.findall(r'\w+', parameters)) for name, parameters in rows}
    assert told == {name: {each.name for each in options_of(cls)} for name, cls in choices.items()}


def test_all_formats_of_images_are_named():
    (sentence,) = re.findall(r'^Images are (JPEG.*)$', PAGES['data.md'], flags=re.MULTILINE)
    assert set(re.findall(r'[A-Z]\w+', sentence.upper())) >= set(EncodingOptions(8).formats)


def test_the_page_of_all_options_is_current():
    assert PAGES['options.md'] == current_page(), 'run `make docs`'


def test_the_sets_of_the_page_on_machines_can_be_appended_and_inherit(tmp_path):
    (sets,) = (code for kind, code in BLOCK.findall(PAGES['machines.md']) if kind == 'yaml')
    path = tmp_path / 'project.yaml'
    path.write_text((ROOT / 'project.yaml').read_text() + '\n' + sets)
    words = ['--config_file', str(path), '--config_set', 'workstation_shared']
    hparams = resolve(CATALOG, parse(words, CATALOG, list(run.MODES)))
    assert (hparams.inter_op_threads, hparams.train_batch_size) == (2, 256)
    assert (hparams.train_epochs, hparams.dtype) == (1000, 'float16')


# The source of your own.


@pytest.fixture(scope='module')
def clone(tmp_path_factory):
    """A copy of the project with the page's own source in it."""
    folder = copy_project(tmp_path_factory.mktemp('clone'), 'convert_dataset.py', 'run.py')
    sources = folder / 'project' / 'sources'
    (sources / 'mine.py').write_text(python_file('data.md', 'project/sources/mine.py'))
    registry = sources / '__init__.py'
    shown = python_file('data.md', 'project/sources/__init__.py').partition('\n')[2]
    first = "SOURCES = {\n    'csv': 'library.preparation.sources.csv_file:CsvFile',\n"
    assert first in registry.read_text()
    registry.write_text(registry.read_text().replace(first, shown))
    return folder


@pytest.fixture
def photos(tmp_path):
    """Images of three colours, of which labels.txt knows two, and an image that is not there."""
    folder = draw_images(tmp_path / 'photos', per_class=6)
    labels = {'red': 0, 'blue': 1}
    lines = [f'{name}/{n}.jpg {label}' for name, label in labels.items() for n in range(6)]
    (folder / 'labels.txt').write_text('\n'.join([*lines, 'red/two words.jpg 0']))
    return folder


@pytest.mark.process
def test_a_source_of_your_own_is_found_and_converted(clone, photos, tmp_path):
    words = ['--dataset_dir', photos, '--tfrecord_dir', tmp_path / 'records', '--max_edge', 64]
    words += ['--splits', 'train=0.7,test=0.3', '--split_by', 'exact', '--workers', 1]
    done = forked('convert_dataset.py', *words, cwd=clone)
    assert done.returncode == 0, done.stderr
    assert 'rejected: red/two words.jpg: no such file\n' in done.stdout
    manifest = read_manifest(str(tmp_path / 'records' / 'train'))
    assert manifest.class_names == ('cat', 'dog')
    assert manifest.examples_per_class == {'cat': 4, 'dog': 4}


@pytest.mark.process
def test_a_source_of_your_own_can_be_read_without_a_conversion(clone, photos, tmp_path):
    words = ['--train_metadata', photos, '--eval_metadata', photos, '--model', 'simple']
    words += ['--image_size', 16, '--preview_images', 4, '--preview_file', tmp_path / 'shown.png']
    done = forked('run.py', 'preview', *words, '--model_dir', tmp_path / 'run', cwd=clone)
    assert done.returncode == 0, done.stderr
    assert 'warning: ' in done.stderr
    assert '1 of 13 images cannot be read (red/two words.jpg: no such file)\n' in done.stderr
    assert (tmp_path / 'shown.png').exists()
