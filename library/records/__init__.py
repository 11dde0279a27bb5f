"""What a record is: feature keys, shards and manifest, the wall between offline and online."""
