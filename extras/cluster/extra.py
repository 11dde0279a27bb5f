"""Declare the cluster: what several machines add to training. Imports no TensorFlow.

Before its tasks train, the chief calls what other extras offer as code['before_training_together'],
with (experiment, others_are_running: bool). It is called once a start, when the run is prepared and
before any other task asks for data. `others_are_running` is True where tasks train already, which
a chief finds that comes back to its parameter servers.
"""

from extras.cluster.options import ClusterOptions
from library.extras import Extra

EXTRA = Extra(
    name='cluster',
    options=(ClusterOptions,),
    code={
        'check_distribution': 'extras.cluster.checks:check_distribution',
        'distribution': 'extras.cluster.part:make_distribution',
    },
)
