"""What a second conversion to the same place keeps of the first, whole or stopped."""

from __future__ import annotations

import json
import shutil

import pytest

from library.records.split_folders import open_split
from tests.conftest import draw_images
from tests.library.preparation.conversions import (
    Writer,
    change_times,
    contents,
    names_in,
)
from tests.library.preparation.three_shards import NOTE, ONE, THREE, TWO, Killed, convert

pytestmark = pytest.mark.graph


class OneShard(Writer):
    """Is stopped once the first shard is done and the second begun."""

    def _outcomes(self, shard, encoding):
        for number, outcome in enumerate(super()._outcomes(shard, encoding)):
            if len(self.prepared) > 4 and number == 2:
                raise Killed
            yield outcome


def test_a_rerun_with_nothing_new_decodes_nothing_and_writes_nothing(images, output):
    (images / 'red' / '0.jpg').write_bytes(b'')
    shutil.copy(images / 'blue' / '0.jpg', images / 'blue' / 'copy.jpg')
    one = convert(images, output)
    before, writer = change_times(output), Writer()
    two = convert(images, output, writer)
    assert (writer.prepared, two.kept, two.shards) == ([], 3, 3)
    assert change_times(output) == before
    assert {'train.rejected.csv', 'train.images.csv', 'train.duplicates.csv'} < set(before)
    assert (one.manifests, one.kept) == (two.manifests, 0)


def test_a_changed_image_makes_its_own_shard_anew(images, output, undisturbed):
    done = convert(images, output)
    name = names_in(done.manifests['train'])[5]
    draw_images(images.parent / 'others', per_class=4, seed=1)
    shutil.copy(images.parent / 'others' / name, images / name)
    before, writer = change_times(output), Writer()
    assert convert(images, output, writer).kept == 2
    after = change_times(output)
    assert (len(writer.prepared), name in writer.prepared) == (4, True)
    assert (before[ONE], before[THREE]) == (after[ONE], after[THREE])
    assert before[TWO] != after[TWO]
    assert contents(output) == undisturbed()


@pytest.mark.parametrize('options', [{'quality': 79}, {'max_edge': 16}, {'random_seed': 1}])
def test_other_encoding_options_or_another_order_make_all_shards_anew(
    images, output, undisturbed, options
):
    convert(images, output)
    writer = Writer()
    assert convert(images, output, writer, **options).kept == 0
    assert len(writer.prepared) == 12
    assert contents(output) == undisturbed(**options)


@pytest.mark.parametrize('damage', ['cut', 'flipped', 'longer', 'gone', 'empty'])
def test_a_damaged_shard_is_made_anew(images, output, damage):
    convert(images, output)
    before = contents(output)
    data = before[TWO]
    (output / TWO).write_bytes(
        {
            'cut': data[:-7],
            'flipped': bytes([data[0] ^ 1]) + data[1:],
            'longer': data + b'\0',
            'empty': b'',
        }.get(damage, b'')
    )
    if damage == 'gone':
        (output / TWO).unlink()
    writer = Writer()
    assert convert(images, output, writer).kept == 2
    assert len(writer.prepared) == 4
    assert contents(output) == before


def test_a_stopped_conversion_keeps_what_it_had_finished(images, output, undisturbed):
    with pytest.raises(Killed):
        convert(images, output, OneShard())
    assert sorted(contents(output)) == [f'{ONE}.partial', f'{ONE}{NOTE}']
    when = (output / f'{ONE}.partial').stat().st_mtime_ns
    writer = Writer()
    assert convert(images, output, writer).kept == 1
    assert len(writer.prepared) == 8
    assert (output / ONE).stat().st_mtime_ns == when
    assert contents(output) == undisturbed()


@pytest.mark.parametrize('name', [f'{ONE}.partial', f'{ONE}{NOTE}'])
@pytest.mark.parametrize('data', [b'', b'garbage', b'[]', None])
def test_what_was_finished_is_made_anew_where_it_was_damaged(
    images, output, undisturbed, name, data
):
    with pytest.raises(Killed):
        convert(images, output, OneShard())
    if data is None:
        (output / name).unlink()
    else:
        (output / name).write_bytes(data)
    assert convert(images, output).kept == 0
    assert contents(output) == undisturbed()


def test_what_other_encoding_options_finished_is_not_taken(images, output, undisturbed):
    with pytest.raises(Killed):
        convert(images, output, OneShard(), quality=50, max_edge=16)
    assert convert(images, output).kept == 0
    assert contents(output) == undisturbed()


def test_what_another_conversion_left_does_not_replace_shards_that_are_right(
    images, output, undisturbed
):
    convert(images, output)
    with pytest.raises(Killed):
        convert(images, output, OneShard(), quality=50, max_edge=16)
    (output / f'{TWO}.partial').write_bytes(b'begun and never finished')
    before, writer = change_times(output), Writer()
    assert convert(images, output, writer).kept == 3
    assert writer.prepared == []
    assert contents(output) == undisturbed()
    assert change_times(output) == {name: before[name] for name in contents(output)}
    open_split(str(output.parent), output.name)


def test_dropping_duplicates_later_makes_the_shards_that_held_them_anew(images, output):
    shutil.copy(images / 'red' / '0.jpg', images / 'red' / 'copy.jpg')
    assert convert(images, output).manifests['train'].examples == 13
    done = convert(images, output, duplicates='drop')
    assert (done.manifests['train'].examples, done.kept) == (12, 2)
    assert 'red/copy.jpg' not in names_in(done.manifests['train'])


def test_a_manifest_that_is_damaged_makes_all_shards_anew(images, output):
    convert(images, output)
    before = contents(output)
    (output / 'train.json').write_bytes(before['train.json'][:-9])
    assert convert(images, output).kept == 0
    assert contents(output) == before


def test_a_manifest_without_inputs_of_its_shards_makes_all_shards_anew(images, output):
    convert(images, output)
    before = contents(output)
    older = json.loads(before['train.json'])
    for shard in older['shards']:
        del shard['inputs'], shard['reencoded']
    (output / 'train.json').write_text(json.dumps(older))
    assert convert(images, output).kept == 0
    assert contents(output) == before
