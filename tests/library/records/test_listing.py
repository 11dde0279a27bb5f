"""Labelled images before they are records."""

from __future__ import annotations

from library.records.listing import SPLIT_NAMES, LabelledImage, Listing


def listing_of(*splits):
    images = (
        LabelledImage(str(number), 0, 'path', 1, split) for number, split in enumerate(splits)
    )
    return Listing(('cat',), tuple(images))


def test_a_listing_counts_its_images():
    assert (listing_of().examples, listing_of('train', '').examples) == (0, 2)


def test_images_without_a_split_give_no_splits():
    assert listing_of('', '').splits == ()


def test_splits_come_in_their_usual_order_and_others_behind_them_by_name():
    found = listing_of('test', 'holdout', 'train', '', 'validation', 'extra', 'train').splits
    assert found == ('train', 'validation', 'test', 'extra', 'holdout')


def test_what_people_call_splits_is_one_of_three():
    assert set(SPLIT_NAMES.values()) == {'train', 'validation', 'test'}
    assert {SPLIT_NAMES[name] for name in ('val', 'valid', 'dev')} == {'validation'}


def test_a_listing_needs_no_tensorflow(program):
    code = "import sys, library.records.listing; sys.exit('tensorflow' in sys.modules)"
    assert program('-c', code).returncode == 0
