"""What a model that leaves out a method says where it is called."""

from __future__ import annotations

import pytest

from library.models.model import Model
from library.models.options import ModelOptions


class OfPixels(Model):
    """A model without features."""

    def build(self, images, training):
        return images


def test_a_model_that_keeps_no_features_says_so():
    model = OfPixels(ModelOptions(), num_classes=3, random_seed=0)
    with pytest.raises(NotImplementedError, match=r'^OfPixels keeps no features$'):
        model.logits({'features': [[1.0]]}, training=False)
