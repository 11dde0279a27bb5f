"""Declare the cluster: what several machines add to training. Imports no TensorFlow.

Before its tasks train, the chief calls what other extras offer as code['before_training_together']
with (hparams, others_are_running: bool), once a start and before any task asks for data, if the
batches come from elsewhere (is_offloaded). `others_are_running` is True where tasks train already,
which a chief finds that comes back to its parameter servers.
"""

from extras.cluster.options import ClusterOptions
from library.extras import Extra

EXTRA = Extra(
    name='cluster',
    options=(ClusterOptions,),
    code={
        'check_distribution': 'extras.cluster.distribution_checks:check_distribution',
        'distribution': 'extras.cluster.distribution:make_distribution',
    },
)
