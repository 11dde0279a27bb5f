"""Compute the bytes that each training step sends between devices and machines.

What all-reduce sends follows from the way that a ring works, and what parameter servers send from
what a worker does in a step; see docs/scaling.md. Imports no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Of a number: variables and gradients are float32 with every --dtype.
NUMBER = 4
# Of ImageNet, for the heads below.
CLASSES = 1000
REPLICAS = (2, 8, 64)
MEGA = 1e6


@dataclass(frozen=True)
class Trained:
    """What a training run changes in each step.

    Attributes:
      name: of the model, and how it is trained.
      numbers: in all trained variables.
      statistics: numbers of batch norm's averages, which no gradient changes.
    """

    name: str
    numbers: int
    statistics: int = 0

    @property
    def size(self) -> int:
        """Return the bytes of all gradients, and of the variables that they change."""
        return NUMBER * self.numbers

    def all_reduce_bytes(self, replicas: int) -> float:
        """Return the bytes that each replica sends, and receives, per step of a ring all-reduce.

        Averages of batch norm travel only when a checkpoint is saved.
        """
        return 2 * (replicas - 1) / replicas * self.size

    def parameter_server_bytes(self) -> int:
        """Return the bytes between one worker and all parameter servers in one step of this worker.

        Variables come and gradients go, and averages of batch norm come and go.
        """
        return 2 * (self.size + NUMBER * self.statistics)


def head(depth: int, classes: int = CLASSES) -> int:
    """Count the parameters of the layer from features to logits.

    Args:
      depth: of the features.
      classes: how many.
    """
    return depth * classes + classes


# Backbones with a head for CLASSES. EfficientNet-Lite0's numbers are counted in the TF-Hub module
# that benchmarks/RESULTS.md names, the others' in tf.keras.applications, whose sizes are published.
PUBLISHED = {
    'head': Trained('head on features', head(1280)),
    'efficientnet_lite0': Trained(
        'EfficientNet-Lite0, fine-tuned', 3_371_008 + head(1280), statistics=42_016
    ),
    'mobilenet_v2': Trained('MobileNetV2, fine-tuned', 2_223_872 + head(1280), statistics=34_112),
    'resnet50': Trained('ResNet-50, fine-tuned', 23_534_592 + head(2048), statistics=53_120),
}


def communication_table(models: Sequence[Trained]) -> str:
    """Format the MB of each step, one line per model.

    With all-reduce what a replica sends; with parameter servers what a worker fetches and sends.
    """
    width = max(len(model.name) for model in models)
    columns = [f'all-reduce of {count}' for count in REPLICAS]
    lines = [f'{"":{width}}     numbers       MB  {"  ".join(columns)}  parameter servers']
    for model in models:
        reduced = '  '.join(
            f'{model.all_reduce_bytes(count) / MEGA:{len(column)}.3g}'
            for count, column in zip(REPLICAS, columns, strict=True)
        )
        lines.append(
            f'{model.name:{width}}  {model.numbers:10,}  {model.size / MEGA:7.3g}  {reduced}  '
            f'{model.parameter_server_bytes() / MEGA:17.3g}'
        )
    return '\n'.join(lines)
