"""Declare the option data_service, and the link that it adds to the chain. No TensorFlow."""

from __future__ import annotations

from extras.data_service.options import DataServiceOptions
from library.extras import Extra

EXTRA = Extra(
    name='data_service',
    options=(DataServiceOptions,),
    check='extras.data_service.options:check',
    code={
        'offload': 'extras.data_service.service',
        'before_training_together': 'extras.data_service.job:before_training_together',
    },
)
