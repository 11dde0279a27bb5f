"""Convert images to records: upright RGB JPEGs in shards, once, offline.

In the order in which a conversion goes through it:

    sources/          what is on a disk -> a Listing of labelled images
    labels            --labels -> one numbering of the classes for all splits
    digests           images -> sha256 of their content
    split_assignment  --splits -> which image is in which split (splits.py has the arithmetic)
    duplicates        equal pictures -> a list, and what becomes of them
    plan              a split -> shards, each with its images in order
    pool              shards -> files: workers.py runs the processes, images.py and formats.py make
                      an image a JPEG as encoding_options.py says, shard_writer.py writes
    publishing        finished files -> their final names, old ones away
    conversion_checks what is refused: places that are taken, results that are too bad
    converter         all of this, in one function; output.py says where files go
    summary           what was done -> lines for a person
    verification      what was written -> what is wrong with it now
"""
