"""Find the optional parts in extras/, and declare what one of them may add. Imports no TensorFlow.

A folder of extras/ is an extra if it holds extra.py with an `EXTRA` in it. Deleting the folder
takes the extra away; the library names extras only in the table of flags below.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What a TF_CONFIG of several tasks takes, which is no flag.
CLUSTER = 'cluster'

# Which flags, modes and choices each extra has, to name the extra where somebody deleted it. A test
# compares the table with what the extras that are there declare.
FLAGS: dict[str, tuple[str, ...]] = {
    'array_sources': ('cifar10', 'cifar100', 'idx'),
    'beam': ('runner', 'pipeline_options'),
    CLUSTER: (
        *('distribution', 'sync_replicas', 'replicas_to_aggregate'),
        *('cluster_timeout', 'peer_timeout'),
    ),
    'data_service': ('data_service',),
    'parquet': ('parquet',),
    'report_and_compare': ('report', 'compare', 'runs', 'sort_by'),
    'tflite_and_hub_export': (
        *('tflite', 'tflite_dynamic', 'tflite_int8', 'hub_module'),
        # Of any extra with formats.
        *('export_formats', 'min_agreement'),
    ),
}


def missing_extra(name: str) -> str | None:
    """Name the extra that has a flag, a mode or a choice which this clone lacks; None if none."""
    return next((extra for extra, names in FLAGS.items() if name in names), None)


@dataclass(frozen=True)
class Mode:
    """What run.py does for one of its first words.

    Attributes:
      code: the module that has run(experiment), or run_alone(hparams) for a mode without a run.
      trains: it starts a run, or resumes one.
      on_a_run: it works on a trained run, with the values that the run kept.
      evaluates: it reads the evaluation split.
      alone: it needs neither a run of its own nor data.
    """

    code: str
    trains: bool = False
    on_a_run: bool = False
    evaluates: bool = True
    alone: bool = False


@dataclass(frozen=True)
class Extra:
    """What one folder of extras/ adds to the programs.

    Code is named as 'module:name' and imported when it is used, so that a wrong option is reported
    before TensorFlow is imported.

    Attributes:
      name: of the folder.
      options: classes of options that run.py gets.
      convert_options: classes of options that convert_dataset.py gets.
      modes: the modes that run.py gets, by name.
      sources: name of a source to its class.
      export_formats: name of a format to the object that writes and checks it
        (library/modes/exporting/formats.py).
      check: called with (hparams, mode), it raises ConfigError where options do not go together.
      code: what is asked for by a name. By the library: 'distribution' and 'check_distribution'
        (in the place of its own), 'offload' (inputs/batches.py), and 'evaluation_files', called
        with the HParams, the Evaluation and its Plots; it gives names of files to their bytes, or
        to None to remove such a file of an earlier evaluation. By convert_dataset.py:
        'shard_writer'. By the extra of clusters: 'before_training_together'.
    """

    name: str
    options: Sequence[Any] = ()
    convert_options: Sequence[Any] = ()
    modes: Mapping[str, Mode] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    export_formats: Mapping[str, str] = field(default_factory=dict)
    check: str | None = None
    code: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Extras:
    """All extras of this clone, in the order of their names."""

    all: tuple[Extra, ...] = ()

    def joined(self, attribute: str) -> dict[str, Any]:
        """Join the mappings that the extras have under the name of an attribute."""
        return {
            name: code for extra in self.all for name, code in getattr(extra, attribute).items()
        }

    def options(self, attribute: str = 'options') -> tuple[Any, ...]:
        """Return the classes of options of all extras."""
        return tuple(cls for extra in self.all for cls in getattr(extra, attribute))

    def check(self, hparams: Any, mode: str) -> None:
        """Let each extra check the options of a run; raises ConfigError."""
        for extra in self.all:
            if extra.check is not None:
                load(extra.check)(hparams, mode)

    def code(self, name: str) -> list[Any]:
        """Import what the extras offer under this name."""
        return [load(extra.code[name]) for extra in self.all if name in extra.code]

    def one(self, name: str, default: Any) -> Any:
        """Import what an extra offers in the place of the core's own, which is the default."""
        return next(iter(self.code(name)), default)


def load(code: str) -> Any:
    """Import what 'module:name' names; 'module' alone is the module."""
    module, _, name = code.partition(':')
    imported = importlib.import_module(module)
    return getattr(imported, name) if name else imported


def find_extras() -> Extras:
    """Import the extra.py of every folder of extras/ that has one."""
    if importlib.util.find_spec('extras') is None:
        return Extras()
    package = importlib.import_module('extras')
    packages = sorted(each.name for each in pkgutil.iter_modules(package.__path__) if each.ispkg)
    names = [name for name in packages if importlib.util.find_spec(f'extras.{name}.extra')]
    return Extras(tuple(load(f'extras.{name}.extra:EXTRA') for name in names))
