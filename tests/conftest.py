"""What many tests need: drawn images, converted data, a small module, and programs to run."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tests.made_once import make_once
from tests.processes import running
from tests.surroundings import forget_how_it_was_started
from tests.tiers import (
    SMOKE,
    TIERS,
    assign_tiers,
    has_tensorflow,
    may_train,
    tier_of,
    tier_of_file,
)
from tests.trainings import check_trainings, trainings

if TYPE_CHECKING:
    from library.preparation.converter import Conversion

ROOT = Path(__file__).resolve().parents[1]
# Colours that a model can tell apart, one per class.
COLORS = {'blue': (40, 60, 220), 'green': (40, 200, 60), 'red': (220, 40, 40)}
SIZE = 32

# Many tests start programs. Where none may keep compiled modules, as in many containers, each would
# compile TensorFlow's 2,800 anew.
if 'PYTHONDONTWRITEBYTECODE' in os.environ:
    os.environ['PYTHONPYCACHEPREFIX'] = str(ROOT / '.pytest_cache' / 'compiled')
forget_how_it_was_started()
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks of the tiers."""
    for name, (needs, _) in TIERS.items():
        config.addinivalue_line('markers', f'{name}: {needs}')
    config.addinivalue_line('markers', f'smoke: {SMOKE}')


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files of other tiers alone where only unit tests run: most import TensorFlow."""
    is_test = collection_path.name.startswith('test_') and collection_path.suffix == '.py'
    if config.option.markexpr == 'unit' and is_test and tier_of_file(collection_path) != 'unit':
        return True
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its tier, before -m chooses."""
    assign_tiers(items)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Refuse a file of unit tests that imports TensorFlow, or whose conftest.py does."""
    report = yield
    if collector.config.option.markexpr == 'unit' and has_tensorflow():
        raise pytest.UsageError(f'{collector.nodeid}: a file of unit tests imports TensorFlow')
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let a test of graphs fail that trains, or whose fixtures do."""
    with trainings(allowed=may_train(item)):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let a unit test fail that imports TensorFlow; in a process that has it none can tell."""
    before = has_tensorflow()
    result = yield
    if tier_of(item) == 'unit' and has_tensorflow() and not before:
        pytest.fail('this test imports TensorFlow: it is no unit test (tests/tiers.py)')
    return result


def draw_images(folder: Path, per_class: int = 6, seed: int = 0) -> Path:
    """Writes FOLDER/{blue,green,red}/N.jpg, noisy squares of the class's colour."""
    random = np.random.default_rng(seed)
    for name, color in COLORS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            noise = random.normal(0, 25, (SIZE, SIZE, 3))
            pixels = np.clip(np.array(color) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f'{number}.jpg', quality=90)
    return folder


def copy_project(folder: Path, *programs: str) -> Path:
    """Copies library, project, extras, both files of sets and these programs, to change them there.

    A clone may have no extras.
    """
    for name in ('library', 'project', 'extras'):
        if (ROOT / name).is_dir():
            without = shutil.ignore_patterns('__pycache__')
            shutil.copytree(ROOT / name, folder / name, ignore=without)
    for name in (*programs, 'project.yaml', 'hyperparameters.yaml'):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope='session')
def program() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `python ARGS...`, in the project's folder unless told else; gives code and texts."""

    def run(
        *args: object, timeout: float = 300, cwd: Path = ROOT, **env: str
    ) -> subprocess.CompletedProcess[str]:
        with running(
            *args,
            cwd=cwd,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            errors='surrogateescape',
        ) as process:
            out, errors = process.communicate(timeout=timeout)
        return subprocess.CompletedProcess(process.args, process.returncode, out, errors)

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a text, or bytes, into a file of this test; gives its path."""

    def call(content: str | bytes, name: str = 'sets.yaml') -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return call


def convert_folder(images: Path, output: Path, name: str = 'train', **options: Any) -> Conversion:
    """Converts class folders into OUTPUT/NAME-*; options are those of `convert`, workers, known."""
    from library.preparation.converter import convert
    from library.preparation.encoding_options import EncodingOptions
    from library.preparation.options import SourceOptions
    from library.preparation.output import Output
    from library.preparation.pool import write_on_this_machine
    from library.preparation.sources.folder import Folder

    target = Output(str(output), name)
    known = options.pop('known', ())
    listing = Folder(SourceOptions(dataset_dir=str(images)), target, known=known).listing()
    encoding = EncodingOptions(options.pop('max_edge', 64), options.pop('quality', 80))
    workers = options.pop('workers', 1)
    return convert(
        listing, target, encoding, partial(write_on_this_machine, workers=workers), **options
    )


@pytest.fixture(scope='session')
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Gives the folder of a name, which one worker fills for all; read only."""
    return partial(make_once, tmp_path_factory.getbasetemp())


@pytest.fixture(scope='session')
def data_dir(made_once: Callable[..., Path]) -> Path:
    """A converted data set of three classes: 24 training images, 15 test images; read only."""

    def fill(root: Path) -> None:
        for split, per_class, seed in (('train', 8, 0), ('test', 5, 1)):
            folder = draw_images(root / 'images' / split, per_class, seed)
            convert_folder(folder, root / split, split)

    return made_once('data', fill)


def draw_wide_images(folder: Path, per_class: int, seed: int) -> Path:
    """Writes FOLDER/{blue,green,red}/N.jpg, 96x32 of grey noise; the left 24 have the colour."""
    random = np.random.default_rng(seed)
    for name, color in COLORS.items():
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            pixels = np.full((SIZE, 3 * SIZE, 3), 90) + random.normal(0, 9, (SIZE, 3 * SIZE, 1))
            pixels[:, :24] = color
            image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
            image.save(folder / name / f'{number}.jpg', quality=90)
    return folder


@pytest.fixture(scope='session')
def wide_data_dir(made_once: Callable[..., Path]) -> Path:
    """As `data_dir`, of pictures whose class no central square shows; read only."""

    def fill(root: Path) -> None:
        for split, per_class, seed in (('train', 8, 0), ('test', 5, 1)):
            folder = draw_wide_images(root / 'images' / split, per_class, seed)
            convert_folder(folder, root / split, split, max_edge=3 * SIZE)

    return made_once('wide-data', fill)


@pytest.fixture(scope='session')
def module_dir(made_once: Callable[..., Path]) -> Path:
    """A TF2 Hub module with batch norm and a regularized kernel: [batch, 32, 32, 3] -> [batch, 8].

    Its batch norm has seen nothing: statistics of mean 0 and variance 1.
    """
    return made_once('module', _save_tf2)


def _save_tf2(folder: Path) -> None:
    import tensorflow as tf

    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    network = tf.keras.Sequential(
        [
            layers.InputLayer((SIZE, SIZE, 3)),
            layers.Conv2D(8, 3, strides=4, kernel_regularizer=tf.keras.regularizers.L2(1e-2)),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
        ]
    )
    tf.saved_model.save(network, str(folder))


def save_tf1(folder: Path) -> None:
    """Writes a module in TensorFlow 1's hub format: [batch, 32, 32, 3] -> [batch, 3]."""
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        images = tf.compat.v1.placeholder(tf.float32, [None, SIZE, SIZE, 3])
        scale = tf.compat.v1.get_variable('scale', initializer=[2.0, 3.0, 4.0])
        session.run(scale.initializer)
        signature = tf.compat.v1.saved_model.predict_signature_def(
            {'images': images}, {'default': tf.reduce_mean(images, [1, 2]) * scale}
        )
        builder = tf.compat.v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, [], {'default': signature})
        builder.save()
    # All that a file of this name says: format 3 of the hub format.
    (folder / 'tfhub_module.pb').write_bytes(b'\x08\x03')


@pytest.fixture(scope='session')
def launch(data_dir: Path, module_dir: Path) -> Callable[..., int]:
    """Calls run.main in this process on the small data set and module; gives the exit code.

    `launch(folder, train_epochs=2)` trains in FOLDER/checkpoints and FOLDER/best; None as a value
    is a flag without one. Other modes get nothing but the folder: it must be enough.
    """

    def call(folder: Path, mode: str = 'train', **flags: object) -> int:
        import run

        if mode == 'train':
            check_trainings()

        training = {
            'data_dir': data_dir,
            'model': 'hub',
            'module': module_dir,
            'best_model_dir': folder / 'best',
            'train_batch_size': 6,
            'train_epochs': 2,
            'epochs_between_evals': 1,
            'learning_rate': 0.01,
        }
        values = {
            'config_file': ROOT / 'project.yaml',
            'hyperparameter_file': ROOT / 'hyperparameters.yaml',
            'model_dir': folder / 'checkpoints',
            **(training if mode == 'train' else {}),
            **flags,
        }
        if 'time_stamped' in values:  # such a run has a place of its own for the best
            del values['best_model_dir']
        if values.get('model') == 'simple':
            del values['module']
        words = [mode]
        for name, value in values.items():
            words += [f'--{name}'] if value is None else [f'--{name}', str(value)]
        return run.main(words)

    return call


@pytest.fixture(scope='session')
def trained_copy(launch: Callable[..., int], made_once: Callable[..., Path]) -> Callable[..., Path]:
    """Fills a folder as `launch(folder, **flags)` does, but trains only once for the same flags.

    For tests that begin with a trained run: what a run does and says is tested with `launch`. All
    copies have the same run id.
    """

    def call(folder: Path, **flags: object) -> Path:
        def train(source: Path) -> None:
            import tensorflow as tf

            with contextlib.redirect_stdout(io.StringIO()):
                assert launch(source, **flags) == 0
            # The writers of events would write the last of them at the end of the process.
            tf.compat.v1.summary.FileWriterCache.clear()

        check_trainings()
        key = repr(sorted((name, str(value)) for name, value in flags.items()))
        source = made_once(f'trained-{hashlib.sha256(key.encode()).hexdigest()[:16]}', train)
        shutil.copytree(source, folder, dirs_exist_ok=True)
        # The folder of the best checkpoints is one of the run's values.
        for values in folder.glob('*/hparams.yaml'):
            text = values.read_text()
            values.write_text(text.replace(f'{source}/', f'{folder}/'))
        return folder

    return call
