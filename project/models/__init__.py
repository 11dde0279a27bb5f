"""The models by name. `--model latest` is the last entry; add yours as one more line.

A model's options are imported at once, its class only when it is used: parsing a command line
must not wait for TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from project.models.hub.options import HubOptions
from project.models.simple.options import SimpleOptions

if TYPE_CHECKING:
    from library.models.model import Model

MODELS = {
    'simple': ('project.models.simple.model:SimpleModel', SimpleOptions),
    'hub': ('project.models.hub.model:HubModel', HubOptions),
}
LATEST = list(MODELS)[-1]


def model_class(name: str) -> type[Model]:
    """The class of a model by its name in MODELS."""
    module, _, cls = MODELS[name][0].partition(':')
    return getattr(importlib.import_module(module), cls)
