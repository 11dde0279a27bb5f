"""What a person names: images, folders, patterns, lists, records, and what is no image at all."""

from __future__ import annotations

import os

import pytest

from library import files
from library.errors import ConfigError
from library.modes.prediction.found_images import check_some_exist, find_images
from library.records.listing import Unusable
from tests.conftest import convert_folder, draw_images

pytestmark = pytest.mark.unit


@pytest.fixture
def found():
    """Calls find_images; gives (file, reason or '') of each, and the warnings."""

    def call(*paths):
        warnings = []
        images = [
            (file, content.reason if isinstance(content, Unusable) else '')
            for file, content in find_images([str(path) for path in paths], warnings.append)
        ]
        return images, warnings

    return call


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x')
    return folder


def test_a_folder_is_walked_by_name_and_only_images_count(found, tmp_path):
    names = ['b.jpg', 'a/2.PNG', 'a/10.webp', 'notes.txt', '.hidden.jpg', 'c.csv', 'x.tfrecord']
    images, warnings = found(touch(tmp_path, *names))
    expected = ['a/10.webp', 'a/2.PNG', 'b.jpg']
    assert images == [(str(tmp_path / name), '') for name in expected]
    assert warnings == []


def test_a_folder_gives_what_begins_as_an_image_and_nothing_of_other_programs(found, tmp_path):
    images = draw_images(tmp_path / 'drawn', per_class=3)
    touch(images / 'red', '@eaDir/0.jpg/SYNOPHOTO.jpg', 'Thumbs.db', 'notes', 'x.dcm')
    (images / 'red' / '1.jpg').rename(images / 'red' / '1')
    (images / 'red' / '2.jpg').rename(images / 'red' / '2.jpg?w=200')
    seen, warnings = found(images / 'red')
    assert [os.path.basename(file) for file, _ in seen] == ['0.jpg', '1', '2.jpg?w=200']
    assert warnings == []


def test_paths_are_predicted_in_the_order_they_are_named(found, tmp_path):
    touch(tmp_path, 'b.jpg', 'a.jpg', 'c/1.jpg')
    images, _ = found(tmp_path / 'b.jpg', tmp_path / 'c', tmp_path / 'a.jpg', tmp_path / 'b.jpg')
    assert [os.path.relpath(file, tmp_path) for file, _ in images] == [
        'b.jpg',
        'c/1.jpg',
        'a.jpg',
        'b.jpg',
    ]


def test_what_is_no_regular_file_is_reported_and_never_opened(found, tmp_path):
    (tmp_path / 'folder.jpg').mkdir()
    os.mkfifo(tmp_path / 'pipe.jpg')
    (tmp_path / 'broken.jpg').symlink_to(tmp_path / 'nowhere')
    images, _ = found(tmp_path)
    assert [(os.path.basename(file), reason) for file, reason in images] == [
        ('broken.jpg', 'no such file or directory'),
        ('folder.jpg', 'a folder, not an image'),
        ('pipe.jpg', 'not a regular file'),
    ]


def test_a_fifo_named_like_records_is_not_opened_either(found, tmp_path):
    os.mkfifo(tmp_path / 'x.tfrecord')
    images, _ = found(tmp_path / 'x.tfrecord')
    assert images == [(str(tmp_path / 'x.tfrecord'), 'not a regular file')]


def test_links_are_followed_but_not_in_a_loop(found, tmp_path):
    touch(tmp_path / 'photos', '1.jpg')
    touch(tmp_path / 'elsewhere', '2.jpg')
    (tmp_path / 'photos' / 'up').symlink_to(tmp_path / 'photos')
    (tmp_path / 'photos' / 'more').symlink_to(tmp_path / 'elsewhere')
    images, warnings = found(tmp_path / 'photos')
    assert [os.path.relpath(file, tmp_path) for file, _ in images] == [
        'photos/1.jpg',
        'photos/more/2.jpg',
    ]
    assert warnings == [f'{tmp_path}/photos/up: left out, a symbolic link to a folder above it']


def test_patterns_stand_for_paths_and_double_stars_for_folders(found, tmp_path):
    touch(tmp_path, 'a/1.jpg', 'a/b/2.jpg', 'a/3.png')
    images, _ = found(tmp_path / 'a' / '*.jpg')
    assert [os.path.basename(file) for file, _ in images] == ['1.jpg']
    images, _ = found(tmp_path / '**' / '*.jpg')
    assert [os.path.basename(file) for file, _ in images] == ['1.jpg', '2.jpg']
    images, _ = found(f'{tmp_path}/**')
    assert len(images) == 3


def test_a_pattern_of_any_folders_goes_through_each_folder_once(found, tmp_path):
    touch(tmp_path, 'a/1.jpg', 'a/b [x]/2.jpg', 'a/.c/3.jpg')
    for number in range(4):
        (tmp_path / 'a' / f'loop{number}').symlink_to(tmp_path / 'a')
    expected = [str(tmp_path / 'a' / name) for name in ('1.jpg', 'b [x]/2.jpg')]
    for pattern in ('**', '**/*.jpg', '**/**/*.jpg', 'a/**/*.jpg', 'a/**/[12].jpg', '**/a/**'):
        assert [file for file, _ in found(tmp_path / pattern)[0]] == expected, pattern


def test_a_pattern_of_any_folders_may_start_where_the_program_does(found, tmp_path, monkeypatch):
    touch(tmp_path, '1.jpg', 'a/b/2.jpg')
    monkeypatch.chdir(tmp_path)
    assert [file for file, _ in found('**/*.jpg')[0]] == ['1.jpg', 'a/b/2.jpg']
    assert [file for file, _ in found('*/**/2.jpg')[0]] == ['a/b/2.jpg']


def test_a_file_whose_name_looks_like_a_pattern_is_itself(found, tmp_path):
    touch(tmp_path, 'a[1].jpg', 'a1.jpg')
    images, _ = found(tmp_path / 'a[1].jpg')
    assert images == [(str(tmp_path / 'a[1].jpg'), '')]


def test_what_is_missing_or_empty_is_warned_of(found, tmp_path):
    touch(tmp_path, 'a.jpg')
    (tmp_path / 'empty').mkdir()
    images, warnings = found(tmp_path / 'no.jpg', tmp_path / 'empty', tmp_path / 'a.jpg')
    assert [os.path.basename(file) for file, _ in images] == ['a.jpg']
    assert warnings == [
        f'{tmp_path}/no.jpg: no such file or folder',
        f'{tmp_path}/empty: holds no images',
    ]


def test_a_named_file_counts_whatever_its_ending(found, tmp_path):
    touch(tmp_path, 'photo')
    assert found(tmp_path / 'photo')[0] == [(str(tmp_path / 'photo'), '')]


def test_a_list_that_is_named_twice_counts_twice(found, tmp_path, write):
    touch(tmp_path, 'a.jpg')
    path = write('path\na.jpg\n', 'list.csv')
    assert found(path, path) == ([(str(tmp_path / 'a.jpg'), '')] * 2, [])


def test_names_of_odd_bytes_are_found(found, tmp_path):
    name = os.fsdecode(b'\xff $x.jpg')
    touch(tmp_path, name)
    assert found(tmp_path)[0] == [(str(tmp_path / name), '')]


@pytest.mark.graph
def test_a_folder_of_converted_images_stands_for_its_records(found, tmp_path):
    convert_folder(draw_images(tmp_path / 'images', 2), tmp_path / 'records' / 'test', 'test')
    images, _ = found(tmp_path / 'records')
    assert sorted(file for file, _ in images)[:2] == ['blue/0.jpg', 'blue/1.jpg']
    assert len(images) == 6


@pytest.mark.graph
def test_missing_and_cut_shards_are_reported(found, tmp_path):
    convert_folder(draw_images(tmp_path / 'images', 2), tmp_path / 'test', 'test', num_shards=2)
    first, second = sorted(tmp_path.glob('test/*.tfrecord'))
    first.unlink()
    whole = second.stat().st_size
    os.truncate(second, whole - 10)
    images, _ = found(tmp_path / 'test')
    reasons = [reason for _, reason in images if reason]
    assert reasons[0] == 'the shard is missing'
    assert 'more than are left' in reasons[1]
    assert reasons[2] == f'the shard has {whole - 10} bytes, but {whole} were written'


@pytest.mark.graph
def test_a_damaged_manifest_is_reported(found, tmp_path):
    convert_folder(draw_images(tmp_path / 'images', 2), tmp_path / 'test', 'test')
    manifest = tmp_path / 'test' / 'test.json'
    manifest.write_bytes(manifest.read_bytes()[:300])
    ((file, reason),) = found(tmp_path / 'test')[0]
    assert file == str(manifest)
    assert reason.startswith('not a manifest of converted images')


@pytest.mark.graph
def test_remote_files_folders_and_patterns_are_found(found):
    for name in ('a/1.jpg', 'a/b/2.jpg', 'a/notes.txt'):
        files.make_folder(os.path.dirname(f'ram://pictures/{name}'))
        files.write_atomically(f'ram://pictures/{name}', b'x')
    assert [file for file, _ in found('ram://pictures/a')[0]] == [
        'ram://pictures/a/1.jpg',
        'ram://pictures/a/b/2.jpg',
    ]
    assert found('ram://pictures/a/*.jpg')[0] == [('ram://pictures/a/1.jpg', '')]
    assert found('ram://pictures/a/1.jpg')[0] == [('ram://pictures/a/1.jpg', '')]
    assert found('ram://pictures/no.jpg') == (
        [],
        ['ram://pictures/no.jpg: no such file or folder'],
    )


def test_something_must_be_named_and_something_there(tmp_path):
    with pytest.raises(ConfigError, match=r'^--predict_input: name what to classify'):
        check_some_exist((), '--predict_input')
    with pytest.raises(ConfigError, match=r'x.jpg, .*: no such file or folder \(--predict_input'):
        check_some_exist((f'{tmp_path}/x.jpg', f'{tmp_path}/*.png'), '--predict_input')
    with pytest.raises(ConfigError, match=r': no images found \(--predict_input\)'):
        check_some_exist((f'{tmp_path}/x.jpg', str(tmp_path)), '--predict_input')
    (tmp_path / 'y.jpg').touch()
    check_some_exist((f'{tmp_path}/x.jpg', str(tmp_path)), '--predict_input')
