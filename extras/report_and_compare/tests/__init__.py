"""Tests of extras/report_and_compare."""
