"""Declare the options of the process, of the session and of the checkpoints."""

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
    deterministic: bool = option(
        False, 'Use only operations that repeat exactly, on GPUs too; slower there.'
    )
    time_stamped: bool = option(
        False,
        'Train in a new folder MODEL_DIR/YYYY-MM-DD-HH_MM_SS, with its best checkpoints in best/; '
        'MODEL_DIR/latest leads to it.',
    )
    verbose: bool = option(False, "Show tracebacks and TensorFlow's own messages.")


@dataclass(frozen=True)
class CheckpointOptions(Options, group='checkpoints', home=PROJECT):
    """What is kept of a run."""

    keep_checkpoint_max: int = option(
        5, 'How many of the newest checkpoints are kept; -1 or 0: all.', unit='checkpoints', low=-1
    )
    save_checkpoints_steps: int | None = option(
        None,
        'Steps between two checkpoints, instead of epochs_between_evals.',
        low=1,
        instead_of='epochs_between_evals',
    )
    save_checkpoints_secs: int | None = option(
        None,
        'Seconds between two checkpoints, instead of epochs_between_evals.',
        low=1,
        instead_of='epochs_between_evals',
    )
    save_summary_steps: int = option(100, 'How often TensorBoard gets values.', unit='steps', low=1)


@dataclass(frozen=True)
class SessionOptions(Options, group='performance', home=PROJECT):
    """How TensorFlow uses the machine."""

    xla: bool = option(False, 'Compile the graph with XLA; worth it on GPUs only.')
    gpu_growth: bool = option(False, 'Take GPU memory as it is needed, not all at the start.')
    inter_op_threads: int | None = option(
        None,
        'Operations that run at the same time; none: as many as cores may be used.',
        low=1,
        high=1024,
    )
    intra_op_threads: int | None = option(
        None,
        'Threads within one operation; none: as many as cores may be used.',
        low=1,
        high=1024,
    )


@dataclass(frozen=True)
class WatchOptions(Options, group='watching', home=PROJECT):
    """What a run tells beside its progress line and its metrics."""

    hooks: tuple[str, ...] = option(
        ('environment', 'hparams'),
        'Training hooks by name, as listed in project/hooks.py; none: no hooks.',
    )
    log_tensors: tuple[str, ...] = option(
        ('loss', 'learning_rate', 'accuracy'),
        'For logging_tensors: what to show, watched or a tensor of the graph.',
        needs='hooks logging_tensors',
    )
    logging_tensors_steps: int = option(
        100, 'Interval between two lines.', unit='steps', low=1, needs='hooks logging_tensors'
    )
    metrics_steps: int = option(
        100,
        'Interval between two lines of metrics.jsonl.',
        unit='steps',
        low=1,
        needs='hooks metrics',
    )
    examples_per_second_steps: int = option(
        100,
        'Interval between two reports of the speed.',
        unit='steps',
        low=1,
        needs='hooks examples_per_second',
    )
    profiler_steps: int = option(
        100,
        'Interval before the first trace, and between two.',
        unit='steps',
        low=1,
        needs='hooks profiler',
    )
    profiler_traces: int = option(3, 'Traces of each start.', low=1, needs='hooks profiler')
    summary_histograms: bool = option(
        False, 'Give TensorBoard a histogram of each trained variable too.'
    )
    summary_kernels: bool = option(
        False, "Give TensorBoard a picture of the first convolution's kernels too."
    )
    summary_confusion: bool = option(
        False, 'Give TensorBoard the confusion matrix of each evaluation while training too.'
    )


@dataclass(frozen=True)
class DistributionOptions(
    Options, group='distribution', home=PROJECT, modes=('train', 'train_and_eval')
):
    """Which devices of a machine train a model together."""

    num_gpus: int | None = option(
        None,
        'GPUs of each machine to train on; -1: all, 0: none; none: one, if there is one.',
        unit='GPUs',
        low=-1,
        high=64,
    )
    cpu_replicas: int | None = option(
        None,
        'Split each batch over this many devices of the CPU instead of GPUs, to try out what '
        'several GPUs would do.',
        unit='devices',
        low=2,
        high=16,
    )
    all_reduce_alg: str = option(
        'auto',
        'How gradients are summed up: nccl, hierarchical_copy or reduction_to_one_device in one '
        'machine, nccl or ring between machines; auto: nccl on GPUs.',
        choices=('auto', 'nccl', 'ring', 'hierarchical_copy', 'reduction_to_one_device'),
    )
