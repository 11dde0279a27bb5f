"""NAME.rejected.csv: which images a split lacks, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from library import files
from library.preparation.output import Target, write_list
from library.records.manifest import Manifest


def write_reports(manifests: Mapping[Target, Manifest]) -> None:
    """Writes each split's list of rejected images; no file where all are good.

    Raises:
      OSError: the disk is full or may not be written.
    """
    for target, manifest in manifests.items():
        if not manifest.rejected:
            if files.exists(target.report):
                files.remove(target.report)
            continue
        text = io.StringIO()
        table = csv.writer(text, lineterminator='\n')
        table.writerow(('file', 'reason'))
        table.writerows((each.file, each.reason) for each in manifest.rejected)
        data = text.getvalue().encode('utf-8', 'surrogateescape')
        write_list(target.report, lambda data=data: (data,))
