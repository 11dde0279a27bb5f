"""Declare the sources cifar10, cifar100 and idx. Imports no TensorFlow."""

from __future__ import annotations

from library.extras import Extra

EXTRA = Extra(
    name='array_sources',
    sources={
        'cifar10': 'extras.array_sources.cifar:Cifar10',
        'cifar100': 'extras.array_sources.cifar:Cifar100',
        'idx': 'extras.array_sources.idx:Idx',
    },
)
