"""Find what limits a training from its speeds: images, computing, or sums of gradients.

docs/scaling.md gives the formulas and examples. Imports no TensorFlow.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

from benchmarks.communication import PUBLISHED, Trained
from library.runtime.entry import run_program

IMAGES = 1_281_167  # to train on, in ImageNet
# Converted to a longest edge of 384 pixels, of the photos that the benchmarks draw.
IMAGE_BYTES = 24_000
# Bytes a second that one machine, or one GPU, sends to the next and receives from another.
BETWEEN = {'10 Gbit/s': 1.25e9, '25 Gbit/s': 3.125e9, '100 Gbit/s': 12.5e9}
WITHIN = {'PCIe, 10 GB/s': 10e9, 'NVLink, 150 GB/s': 150e9}


@dataclass(frozen=True)
class Plan:
    """Machines that train together; speeds in images a second.

    Attributes:
      trained: the model.
      machines: how many.
      gpus: of each machine.
      cores: of each machine.
      per_core: images that one core decodes and augments.
      per_gpu: images that one GPU trains on by itself.
      batch_size: images of one GPU in a step.
    """

    trained: Trained
    machines: int
    gpus: int
    cores: int
    per_core: float
    per_gpu: float
    batch_size: int

    @property
    def replicas(self) -> int:
        """Count the GPUs of all machines."""
        return self.machines * self.gpus

    @property
    def input_seconds(self) -> float:
        """Return the seconds per step in which a machine's cores prepare the images of its GPUs."""
        return self.gpus * self.batch_size / (self.cores * self.per_core)

    @property
    def compute_seconds(self) -> float:
        """Return the seconds per step that the GPUs compute."""
        return self.batch_size / self.per_gpu

    def reduce_seconds(self, link: float) -> float:
        """Return the seconds per step in which a ring's bytes pass its slowest link, in bytes/s."""
        return self.trained.all_reduce_bytes(self.replicas) / link

    def step_seconds(self, link: float) -> float:
        """Return the seconds per step; input overlaps computing, sums of gradients do not."""
        return max(self.input_seconds, self.compute_seconds + self.reduce_seconds(link))

    def limit(self, link: float) -> str:
        """Name what a step waits for."""
        reduce = self.reduce_seconds(link)
        if self.input_seconds > self.compute_seconds + reduce:
            return 'input'
        return 'all-reduce' if reduce > self.compute_seconds else 'compute'


def plan_table(plan: Plan) -> str:
    """Format the plan, and a line for each link between its GPUs or machines."""
    step, size = plan.replicas * plan.batch_size, plan.trained.size / 1e6
    feeds = plan.cores * plan.per_core / plan.gpus
    lines = [
        f'{plan.trained.name}, {size:.1f} MB of gradients, {plan.machines} x {plan.gpus} GPUs',
        f'a step: {step:,} images; input {1000 * plan.input_seconds:.1f} ms, '
        f'compute {1000 * plan.compute_seconds:.1f} ms',
        f'input is the limit where a GPU trains on more than {feeds:,.0f} images/s',
        '',
        'link              all-reduce  is the limit up to  images/s  of GPUs     epoch'
        '       read  limit',
    ]
    for name, link in (BETWEEN if plan.machines > 1 else WITHIN).items():
        reduce, rate = plan.reduce_seconds(link), step / plan.step_seconds(link)
        lines.append(
            f'{name:16}  {1000 * reduce:7.1f} ms  {plan.per_gpu * reduce:5.0f} images a GPU  '
            f'{rate:8,.0f}  {rate / (plan.replicas * plan.per_gpu):7.2f}  '
            f'{IMAGES / rate / 60:5.1f} min  {rate * IMAGE_BYTES / 1e6:4.0f} MB/s  '
            f'{plan.limit(link)}'
        )
    return '\n'.join(lines)


def main(argv: list[str]) -> int:
    """Print the table of one plan."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.scale_plan',
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add('--model', choices=PUBLISHED, default='resnet50', help='what is trained')
    add('--machines', type=int, default=1, help='that train together')
    add('--gpus', type=int, default=8, help='of each machine')
    add('--cores', type=int, default=64, help='of each machine')
    add('--per_core', type=float, default=1370, help='images that a core prepares in a second')
    add('--per_gpu', type=float, default=1000, help='images that a GPU trains on in a second')
    add('--batch_size', type=int, default=64, help='images of each GPU in a step')
    values = vars(parser.parse_args(argv))
    print(plan_table(Plan(PUBLISHED[values.pop('model')], **values)))
    return 0


if __name__ == '__main__':
    sys.exit(run_program(main))
