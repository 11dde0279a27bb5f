"""Which images a split lacks, as a file beside its shards."""

from __future__ import annotations

import csv
import os

import pytest
from conversions import change_times, contents

from library.preparation.output import Target
from library.preparation.rejects import write_reports
from library.records.manifest import Manifest, Rejected


@pytest.fixture
def target(tmp_path):
    return Target(str(tmp_path), 'train')


def manifest(*rejected):
    return Manifest(('cat',), {'cat': 0}, (), rejected=rejected)


def test_each_image_is_named_with_its_reason(target, tmp_path):
    name = os.fsdecode(b'caf\xe9, "1"\n.jpg')
    rejected = (Rejected('cat/0.jpg', 'empty file'), Rejected(name, 'damaged (cut, "early")'))
    write_reports({target: manifest(*rejected)})
    path = tmp_path / 'train.rejected.csv'
    assert path.read_bytes().startswith(b'file,reason\ncat/0.jpg,empty file\n')
    with open(path, newline='', encoding='utf-8', errors='surrogateescape') as file:
        assert list(csv.reader(file))[1:] == [[each.file, each.reason] for each in rejected]


def test_each_split_has_its_own(tmp_path):
    targets = [Target(str(tmp_path / name), name) for name in ('train', 'test', 'whole')]
    for each in targets:
        os.makedirs(each.folder)
    bad = {target: manifest(Rejected(target.name, 'empty file')) for target in targets[:2]}
    write_reports(bad | {targets[2]: manifest()})
    assert contents(tmp_path) == {
        'train/train.rejected.csv': b'file,reason\ntrain,empty file\n',
        'test/test.rejected.csv': b'file,reason\ntest,empty file\n',
    }


def test_a_report_goes_once_all_images_are_good(target, tmp_path):
    write_reports({target: manifest(Rejected('cat/0.jpg', 'empty file'))})
    write_reports({target: manifest()})
    assert contents(tmp_path) == {}


def test_a_report_that_is_still_right_is_left_alone(target, tmp_path):
    for _ in range(2):
        write_reports({target: manifest(Rejected('cat/0.jpg', 'empty file'))})
        before = change_times(tmp_path)
    write_reports({target: manifest(Rejected('cat/0.jpg', 'empty file'))})
    assert change_times(tmp_path) == before
