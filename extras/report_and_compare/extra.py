"""Declare what this extra adds to run.py."""

from __future__ import annotations

from extras.report_and_compare.options import ComparisonOptions, ReportOptions
from library.extras import Extra, Mode

EXTRA = Extra(
    name='report_and_compare',
    options=(ReportOptions, ComparisonOptions),
    modes={'compare': Mode('extras.report_and_compare.compare', alone=True)},
    check='extras.report_and_compare.comparison_checks:check',
    code={'evaluation_files': 'extras.report_and_compare.report.page:evaluation_files'},
)
