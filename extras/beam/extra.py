"""Declare the options of a conversion on Beam. Imports neither Beam nor TensorFlow."""

from __future__ import annotations

from extras.beam.options import BeamOptions
from library.extras import Extra

EXTRA = Extra(
    name='beam',
    convert_options=(BeamOptions,),
    code={'shard_writer': 'extras.beam.options:shard_writer'},
)
