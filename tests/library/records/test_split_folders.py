"""The splits of DATA_DIR, and what to do where one is missing."""

from __future__ import annotations

import shlex

import pytest

from library.errors import ConfigError
from library.installation import start_of
from library.records.manifest import Manifest, Shard
from library.records.split_folders import evaluation_split, open_split


def refusal(data_dir, split):
    with pytest.raises(ConfigError) as caught:
        open_split(str(data_dir), split)
    return str(caught.value)


def put_split(folder, name):
    """Write the manifest of a split of three images, which lie nowhere."""
    (folder / name).mkdir(parents=True)
    manifest = Manifest(('cat', 'dog'), {'cat': 2, 'dog': 1}, (Shard(f'{name}-0', 3, 1, ''),))
    (folder / name / f'{name}.json').write_text(manifest.to_json())


def test_an_empty_place_leads_to_a_conversion_of_images_that_are_elsewhere(tmp_path):
    command = f'{start_of("convert_dataset.py")} PHOTOS'
    expected = f'no converted images; make them with: {command}'
    for place in (tmp_path, tmp_path / 'none'):
        assert refusal(place, 'test') == (f'{place}/test: {expected} {place}')


def test_a_folder_of_images_leads_to_both_ways(tmp_path):
    (tmp_path / 'cat').mkdir()
    assert refusal(tmp_path, 'test') == (
        f'{tmp_path}/test: no converted images; images as they are go to --train_metadata and '
        f'--eval_metadata; or make them with: {start_of("convert_dataset.py")} '
        f'{tmp_path} {tmp_path}'
    )


def test_the_command_can_be_pasted_even_where_names_hold_spaces(tmp_path):
    (tmp_path / 'my images' / 'cat').mkdir(parents=True)
    message = refusal(tmp_path / 'my images', 'test')
    words = shlex.split(message.partition(' make them with: ')[2])
    assert words[-2:] == [f'{tmp_path}/my images'] * 2


def test_the_splits_that_are_there_are_named_and_no_conversion_of_them(tmp_path):
    for name in ('holdout', 'train', 'autumn'):
        put_split(tmp_path, name)
    assert refusal(tmp_path, 'test') == (
        f'{tmp_path}/test: no converted images; {tmp_path} holds train, autumn, holdout '
        f'(--eval_split)'
    )


@pytest.mark.parametrize(
    ('there', 'split', 'option'),
    [
        ('fold1 fold2', 'train', '--fold'),
        ('fold1 fold2', 'fold3', '--fold'),
        ('fold1 fold2', 'validation', '--eval_split'),
        ('train test', 'fold1', '--eval_split, or leave out --fold'),
        ('test', 'train', '--data_dir'),
    ],
)
def test_what_is_there_decides_which_option_leads_on(tmp_path, there, split, option):
    for name in there.split():
        put_split(tmp_path, name)
    shown = there.replace(' ', ', ')
    assert refusal(tmp_path, split).endswith(f'; {tmp_path} holds {shown} ({option})')


def test_a_split_that_is_given_as_the_whole_is_recognized(tmp_path):
    put_split(tmp_path, 'train')
    assert refusal(tmp_path / 'train', 'train') == (
        f'{tmp_path}/train/train: no converted images; {tmp_path}/train is a split itself: give '
        f'the folder above it as --data_dir'
    )


@pytest.mark.parametrize('name', ['flowers-00000-of-00016.tfrecord', 'flowers.tfrecord'])
def test_records_of_other_programs_lead_to_the_option_that_reads_them(tmp_path, name):
    (tmp_path / name).touch()
    assert refusal(tmp_path, 'train') == (
        f'{tmp_path}/train: no converted images; records of other programs are given as '
        f"--train_metadata '{tmp_path}/*.tfrecord'"
    )


def test_validation_is_evaluated_on_if_it_is_there_otherwise_test(tmp_path):
    assert evaluation_split(str(tmp_path), 'auto') == 'test'
    (tmp_path / 'validation').mkdir()
    assert evaluation_split(str(tmp_path), 'auto') == 'test'
    (tmp_path / 'validation' / 'validation.json').touch()
    assert evaluation_split(str(tmp_path), 'auto') == 'validation'


def test_any_split_that_was_asked_for_is_taken(tmp_path):
    (tmp_path / 'validation').mkdir()
    for name in ('train', 'holdout', 'Autumn 2026'):
        assert evaluation_split(str(tmp_path), name) == name


def test_a_usual_name_means_the_split_that_a_conversion_makes_of_it(tmp_path):
    assert evaluation_split(str(tmp_path), 'val') == 'validation'
    put_split(tmp_path, 'val')
    assert evaluation_split(str(tmp_path), 'val') == 'val'
