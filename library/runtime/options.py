"""The options of the process, of the session and of the checkpoints."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.fields import PROJECT, Options, option


@dataclass(frozen=True)
class ProcessOptions(Options, group='base', home=PROJECT):
    """Where a run lives, and how it starts."""

    model_dir: str = option('out/current/checkpoints', "The run's folder.")
    random_seed: int = option(
        0,
        'Seed of weights, order and augmentation; the same seed gives the same run.',
        low=0,
        high=2**31 - 1,
    )
    verbose: bool = option(False, "Show tracebacks and TensorFlow's own messages.")


@dataclass(frozen=True)
class CheckpointOptions(Options, group='checkpoints', home=PROJECT):
    """What is kept of a run."""

    keep_checkpoint_max: int = option(
        5, 'Newest checkpoints that are kept; -1 or 0: all.', unit='checkpoints', low=-1
    )
    save_summary_steps: int = option(100, 'How often TensorBoard gets values.', unit='steps', low=1)


@dataclass(frozen=True)
class SessionOptions(Options, group='performance', home=PROJECT):
    """How TensorFlow uses the machine."""

    xla: bool = option(False, 'Compile the graph with XLA; worth it on GPUs only.')
    gpu_growth: bool = option(False, 'Take GPU memory as it is needed, not all at the start.')
    inter_op_threads: int | None = option(
        None, 'Operations that run at the same time; none: TensorFlow decides.', low=1, high=1024
    )
    intra_op_threads: int | None = option(
        None, 'Threads within one operation; none: TensorFlow decides.', low=1, high=1024
    )
