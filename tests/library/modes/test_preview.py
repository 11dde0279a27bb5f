"""The picture of training images: what is in it, under which names, and what it leaves alone."""

from __future__ import annotations

import functools
import io
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

import run
from library.errors import ConfigError, MismatchError
from library.modes import preview
from library.modes.preview import INCHES, draw_grid
from library.pages.png import DPI
from library.runtime.entry import run_program
from tests.conftest import ROOT

pytestmark = pytest.mark.graph

EDGE = 24


def flat(*colors):
    return [np.full((EDGE, EDGE, 3), color, np.uint8) for color in colors]


def pixels(png):
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == 'PNG'
        return np.asarray(image.convert('RGB')).astype(int)


def share_of(picture, color):
    """How much of the picture has about this colour."""
    return float(np.mean(np.abs(picture - color).max(axis=-1) < 8))


@functools.cache
def with_name(name):
    return pixels(draw_grid(flat((200, 0, 0)), [name]))


@pytest.mark.parametrize(
    ('count', 'columns', 'rows'), [(1, 1, 1), (2, 2, 1), (5, 3, 2), (32, 8, 4), (61, 10, 7)]
)
def test_a_picture_is_wider_than_high_and_grows_with_its_images(count, columns, rows):
    height, width, _ = pixels(draw_grid(flat(*[(0, 0, 0)] * count), [''] * count)).shape
    assert width / DPI == pytest.approx(columns * INCHES, abs=0.01)
    assert height / DPI == pytest.approx(rows * (INCHES + 0.25), abs=0.01)


def test_each_image_is_there_in_its_colour_and_takes_most_of_its_place():
    colors = [(220, 40, 40), (40, 200, 60), (40, 60, 220), (250, 200, 10)]
    picture = pixels(draw_grid(flat(*colors), ['a', 'b', 'c', 'd']))
    places = 6  # three columns and two rows
    for color in colors:
        assert share_of(picture, color) > 0.6 / places


def test_images_are_drawn_row_by_row():
    picture = pixels(draw_grid(flat((200, 0, 0), (0, 0, 200)), ['a', 'b']))
    red = np.argwhere((picture - (200, 0, 0) == 0).all(axis=-1))
    blue = np.argwhere((picture - (0, 0, 200) == 0).all(axis=-1))
    assert red[:, 1].max() < blue[:, 1].min()


@pytest.mark.parametrize('name', ['cat', '<b>', 'été', '$x$', '{', 'a_b^c', r'\frac', '%', '"'])
def test_a_name_is_drawn_as_it_is_written(name):
    nothing, drawn = with_name(''), with_name(name)
    assert drawn.shape == nothing.shape
    assert (drawn != nothing).any()
    assert (drawn != with_name(f'{name}.')).any()


def test_different_names_look_different():
    assert (with_name('$a$') != with_name('a')).any()


@pytest.mark.parametrize('name', ['猫', '😀', 'שלום', 'caf\udce9', 'a\tb', '\x07', 'a\nb'])
def test_a_name_that_no_font_has_is_drawn_without_a_warning(name):
    assert (with_name(name) != with_name('')).any()


def test_a_long_name_is_cut_and_stays_above_its_image():
    long = with_name('x' * 500)
    assert long.shape == with_name('').shape
    assert (long == with_name('x' * 21 + '…')).all()
    assert (long[:, 0] == 255).all()
    assert (long[:, -1] == 255).all()


@pytest.fixture
def drawn(monkeypatch):
    """What would be drawn: filled with (images, names) at each call."""
    calls = []

    def keep(images, names):
        calls.append((images, names))
        return b'a picture'

    monkeypatch.setattr(preview, 'draw_grid', keep)
    return calls


@pytest.fixture
def show(data_dir, tmp_path):
    """Calls run.main for a preview into this test's folder; gives the path of the picture."""

    def call(*words, **flags):
        path = tmp_path / 'some' / 'folder' / 'preview.png'
        values = {'model': 'simple', 'image_size': EDGE, 'data_dir': data_dir}
        values |= {'model_dir': tmp_path / 'run', 'preview_file': path, 'batch_size': 8}
        values |= {'train_batch_size': 'none'} | flags
        given = {name: value for name, value in values.items() if value is not None}
        words = [*words, *(f'--{name}={value}' for name, value in given.items())]
        assert run.main(['preview', *words]) == 0
        return path

    return call


def test_a_preview_is_written_and_told(show, capsys, tmp_path):
    path = show(preview_images=3)
    assert pixels(path.read_bytes()).shape[1] == round(3 * INCHES * DPI)
    assert capsys.readouterr().out == f'3 training images of {EDGE}x{EDGE} pixels: {path}\n'


def test_a_preview_needs_no_run_and_leaves_none(show, drawn, tmp_path):
    assert show().read_bytes() == b'a picture'
    assert [path.name for path in tmp_path.iterdir()] == ['some']


def test_a_run_of_another_model_in_the_default_folder_is_no_matter(
    show, drawn, tmp_path, monkeypatch
):
    folder = tmp_path / 'out' / 'current' / 'checkpoints'
    folder.mkdir(parents=True)
    (folder / 'hparams.yaml').write_text('model: hub\n')
    (folder / 'model.ckpt-7.index').touch()
    (folder / 'checkpoint').write_text('model_checkpoint_path: "model.ckpt-7"\n')
    with pytest.raises(MismatchError, match='is a run of the model hub, and not of simple'):
        show(model_dir=folder)
    for name in ('project.yaml', 'hyperparameters.yaml'):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert show(model_dir=None).exists()


def test_images_have_the_names_of_their_classes(show, drawn):
    show('--no_augmentation', preview_images=24)
    ((images, names),) = drawn
    assert sorted(set(names)) == ['blue', 'green', 'red']
    for image, name in zip(images, names, strict=True):
        assert np.argmax(image.mean(axis=(0, 1))) == {'red': 0, 'green': 1, 'blue': 2}[name]


def test_augmentation_shows_unless_it_is_switched_off(show, drawn, data_dir):
    for words in ((), ('--no_augmentation',), ('--no_augmentation', '--debug')):
        show(*words, preview_images=24)
    augmented, plain, stored = ({image.tobytes() for image in images} for images, _ in drawn)
    assert len(plain) == 24
    assert plain == stored
    assert not augmented & plain


@pytest.mark.parametrize('count', [1, 24, 400])
def test_as_many_images_are_drawn_as_asked_for(show, drawn, count):
    show(preview_images=count)
    ((images, names),) = drawn
    assert len(images) == len(names) == count


def test_images_that_were_not_converted_are_shown(show, drawn, data_dir):
    images = data_dir / 'images'
    show(train_metadata=images / 'train', eval_metadata=images / 'test', preview_images=30)
    assert len(drawn[0][0]) == 30


def test_more_images_than_a_picture_takes_are_refused(show):
    with pytest.raises(ConfigError, match='--preview_images: 401 is out of range'):
        show(preview_images=401)


@pytest.fixture
def program_here(capsys):
    before = signal.getsignal(signal.SIGTERM)

    def call(*words):
        return run_program(run.main, [str(word) for word in words]), capsys.readouterr().err

    yield call
    signal.signal(signal.SIGTERM, before)


def test_without_data_there_is_one_line_and_no_picture(program_here, tmp_path):
    words = ['--model', 'simple', '--data_dir', tmp_path / 'none', '--model_dir', tmp_path / 'run']
    status, errors = program_here('preview', *words, '--preview_file', tmp_path / 'x' / 'a.png')
    assert status == 2
    assert errors.startswith(f'error: {tmp_path}/none/train: no converted images')
    assert errors.count('\n') == 1
    assert list(tmp_path.iterdir()) == []


def test_options_of_a_preview_belong_to_no_other_mode(program_here):
    status, errors = program_here('train', '--preview_images', 3)
    assert (status, errors.count('\n')) == (2, 1)
    assert '--preview_images is not used by this run: it is an option of the mode preview' in errors


def test_what_evaluation_cuts_away_is_drawn_around_and_told(show, drawn, wide_data_dir, capsys):
    show(data_dir=wide_data_dir, preview_images=2, image_size=16)
    images, names = drawn[0]
    assert names[2:] == ['evaluation sees'] * 6
    told = '67 % of each evaluation picture is cut away: --fit pad or squeeze; the last 6 pictures'
    assert f'{told} show it\n' in capsys.readouterr().out
    for image in images[2:]:
        red = (np.abs(image.astype(int) - (255, 0, 0)).max(axis=-1) < 40).any(axis=0)
        columns = np.flatnonzero(red[30:66]) + 30  # the class itself may be red
        assert (columns.min(), columns.max()) == (32, 63)
    show(data_dir=wide_data_dir, preview_images=2, image_size=16, fit='squeeze')
    assert len(drawn[1][1]) == 2


def test_the_sheet_of_what_was_altered_is_named(show, drawn, data_dir, tmp_path, capsys):
    shutil.copytree(data_dir, tmp_path / 'data')
    (tmp_path / 'data' / 'altered_images.jpg').write_bytes(b'a sheet')
    show(data_dir=tmp_path / 'data')
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f'some of what the conversion altered: {tmp_path}/data/altered_images.jpg'
