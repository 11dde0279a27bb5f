"""Tests of extras/tflite_and_hub_export."""
