"""Runs `run.py` with one list of words after the other; prints what each of them said.

A program of its own: logical devices can only be made before TensorFlow has started, so a test
cannot do it itself. The hook module_values, for --hooks, writes module_values.npz: what a frozen
module's variables are on each device when a training ends.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys

import numpy as np
import tensorflow as tf

import run
from project.hooks import HOOKS

DEVICES = 2


class ModuleValuesHook(tf.estimator.SessionRunHook):
    """Writes the values at the end as VARIABLE:DEVICE."""

    def __init__(self, model_dir):
        self._path = os.path.join(model_dir, 'module_values.npz')

    def end(self, session):
        """Reads each device's own variable."""
        values = {}
        for variable in tf.compat.v1.local_variables():
            if variable.name.startswith('module/'):
                for device, part in enumerate(getattr(variable, 'values', (variable,))):
                    values[f'{variable.op.name}:{device}'] = session.run(part)
        np.savez(self._path, **values)


def main(commands):
    """Commands by name, as JSON, to their standard output by name."""
    cpu = tf.config.list_physical_devices('CPU')[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * DEVICES
    )
    HOOKS['module_values'] = lambda params, run: ModuleValuesHook(params.model_dir)
    said = {}
    for name, words in commands.items():
        with contextlib.redirect_stdout(io.StringIO()) as text:
            assert run.main(words) == 0, name
        said[name] = text.getvalue()
    print(json.dumps(said))


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))
