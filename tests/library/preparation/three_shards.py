"""Conversions into three shards, which a kill may stop anywhere."""

from __future__ import annotations

from library.records.shards import shard_names
from tests.library.preparation.conversions import convert_images

ONE, TWO, THREE = shard_names('train', 3)
NOTE = '.partial.json'


class Killed(BaseException):
    """Stands for a kill: nothing in the converter catches it."""


def convert(images, output, writer=None, **options):
    return convert_images(images, output, writer=writer, **{'num_shards': 3, **options})
