"""The options of the model `simple`."""

from __future__ import annotations

from dataclasses import dataclass

from library.models.options import ModelOptions


@dataclass(frozen=True)
class SimpleOptions(ModelOptions):
    """Nothing beyond what every model has."""
