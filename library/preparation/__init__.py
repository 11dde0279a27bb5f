"""Images to records: pictures of any make become upright RGB JPEGs in shards, once, offline."""
