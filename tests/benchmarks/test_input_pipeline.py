"""The benchmark of the input pipeline, on a few images; its figures are not looked at."""

from __future__ import annotations

import numpy as np

from benchmarks.input_pipeline import REFERENCE, bare_decode, main, measure
from library.records.split_folders import open_split

STAGES = ['read', REFERENCE, 'training', 'training, crop only', 'evaluation']


def test_every_stage_has_a_rate_and_a_ratio(data_dir):
    rows = measure(data_dir, image_size=16, batch_size=4, batches=2, rounds=2)
    assert [row.name for row in rows] == STAGES
    assert all(row.rate > 0 and row.lowest <= row.ratio <= row.highest for row in rows)
    assert rows[1].ratio == 1.0


def test_the_reference_decodes_whole_photos(data_dir):
    paths = open_split(str(data_dir), 'train').shard_paths
    batch = next(iter(bare_decode(paths, 4)))
    assert batch.shape == (4, 32 * 32 * 3)
    assert batch.dtype.as_numpy_dtype == np.uint8


def test_the_program_draws_photos_and_prints_a_table_and_the_machine(capsys):
    sizes = ['--images', '8', '--max_edge', '64', '--image_size', '16']
    assert main([*sizes, '--batch_size', '4', '--batches', '2', '--rounds', '1']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert '16 px from photos of up to 64 px' in lines[0]
    assert [line.partition('  ')[0] for line in lines[2:7]] == STAGES
    assert lines[7].startswith('machine: ')
    assert 'tensorflow 2.15.1' in lines[8]
