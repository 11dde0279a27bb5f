"""Define a record: feature keys, shards and manifest, the wall between offline and online."""
