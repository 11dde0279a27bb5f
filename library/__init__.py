"""Hold what stays: neither the owner's (project/) nor optional (extras/).

Rooms from the highest floor to the lowest. A room imports only itself and lower floors, never
project/ or extras/: what it needs of those is handed in by run.py as a value
(tests/test_architecture.py).

    modes/          an experiment -> a trained, evaluated, predicted or exported run, a file each

    exporters/      an evaluation -> the best checkpoint, and a history of all
    pages/          tables, charts and pictures -> one HTML page

    runtime/        options -> RunConfig and Estimator; devices, entry, exit codes

    inputs/         records or images -> batches: the links of the tf.data chain
    models/         batches -> logits, loss and metrics; TF-Hub modules and heads
    training/       loss -> train_op; warm starts, the arithmetic of epochs and steps

    checkpoints/    find, check, name, write and copy checkpoints
    hooks/          watch a session: progress, metrics, signals, numbers that are not finite
    preparation/    images -> shards with a manifest (convert_dataset.py)

    runs/           the folder of a run: lock, metadata, kept values

    config/         YAML sets and the command line -> HParams
    records/        feature keys, shards, manifests: what conversion and training share

    files           paths, local or remote
    errors          failures that a person can fix, with their exit codes
    extras          find the folders of extras/, and declare what one may add
    cores           how many cores this process may use
    console         lines for a terminal or a log
    suggestions     the legal name nearest to a misspelt one, or for another program's name
    installation    which packages are missing, and which Python starts a program

Images go up through preparation, records and inputs; values go up through config and runs.
"""
