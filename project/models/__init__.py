"""List the models by name: one line each, FILE:CLASS. `--model latest` is the last entry."""

from __future__ import annotations

from library.extras import load
from library.models.model import Model

MODELS: dict[str, type[Model]] = {
    'simple': load('project.models.simple:SimpleModel'),
    'hub': load('project.models.hub:HubModel'),
}
LATEST = list(MODELS)[-1]
