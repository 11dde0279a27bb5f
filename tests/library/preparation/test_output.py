"""Where a conversion writes, and what it takes for its own."""

from __future__ import annotations

import pytest

from library.preparation.output import Output, Target, wrote

SHARD = 'train-00000-of-00002.tfrecord'


def test_one_split_goes_into_the_folder_itself_under_its_name():
    output = Output('/data', 'train')
    assert output.target('train') == Target('/data', 'train')
    assert output.target('train').manifest == '/data/train.json'
    assert output.target('train').report == '/data/train.rejected.csv'
    assert output.target('train').images == '/data/train.images.csv'
    assert output.duplicates == '/data/train.duplicates.csv'
    assert output.folders == ('/data',)


def test_each_of_several_splits_gets_a_folder():
    output = Output('gs://bucket/data', None, ('train', 'test'))
    assert output.target('test') == Target('gs://bucket/data/test', 'test')
    assert output.target('test').manifest == 'gs://bucket/data/test/test.json'
    assert output.duplicates == 'gs://bucket/data/duplicates.csv'
    assert output.folders == (
        'gs://bucket/data',
        'gs://bucket/data/train',
        'gs://bucket/data/test',
    )


@pytest.mark.parametrize('end', ['', '.partial', '.partial.json', '.partial.json.partial'])
def test_a_shard_is_known_finished_or_not_and_so_is_its_note(end):
    assert Target('/data', 'train').is_shard(f'{SHARD}{end}')
    assert Target('/data', 'train').is_shard(f'train-00006-of-00007.tfrecord{end}')


@pytest.mark.parametrize(
    'name',
    [
        'test-00000-of-00002.tfrecord',
        'my-train-00000-of-00002.tfrecord',
        'train-0-of-2.tfrecord',
        'train.json',
        'train.json.partial',
        f'{SHARD}.gz',
        f'{SHARD}.partial.txt',
    ],
)
def test_files_of_other_names_are_no_shards_of_it(name):
    assert not Target('/data', 'train').is_shard(name)


@pytest.mark.parametrize(
    'name',
    [
        SHARD,
        f'{SHARD}.partial',
        f'{SHARD}.partial.json',
        f'{SHARD}.partial.json.partial',
        'train.json.partial',
        'train.rejected.csv',
        'train.rejected.csv.partial',
        'train.images.csv',
        'train.images.csv.partial',
        'duplicates.csv',
        'duplicates.csv.partial',
        'train.duplicates.csv',
        'another set-00000-of-00001.tfrecord',
    ],
)
def test_what_a_conversion_writes_is_told_by_its_name(name):
    assert wrote(f'/nowhere/{name}')


@pytest.mark.parametrize(
    'name', ['0.jpg', 'labels.csv', 'images.csv', 'train.tfrecord', 'notes.partial', 'x.csv']
)
def test_other_files_are_not_taken_for_its_own(name):
    assert not wrote(f'/nowhere/{name}')


def test_a_manifest_is_told_from_other_json_by_what_it_holds(write):
    manifest = write('{"format": "image-classification-tfrecords", cut', 'train.json')
    assert wrote(str(manifest))
    assert not wrote(str(write('{"annotations": []}', 'coco.json')))
