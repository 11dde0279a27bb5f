"""Declare what this extra adds to run.py."""

from __future__ import annotations

from library.extras import Extra

EXTRA = Extra(
    name='tflite_and_hub_export',
    export_formats={
        'tflite': 'extras.tflite_and_hub_export.tflite:FLOAT',
        'tflite_dynamic': 'extras.tflite_and_hub_export.tflite:DYNAMIC',
        'tflite_int8': 'extras.tflite_and_hub_export.tflite:INT8',
        'hub_module': 'extras.tflite_and_hub_export.hub_module_format:HUB_MODULE',
    },
)
