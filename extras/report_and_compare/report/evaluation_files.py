"""Give an evaluation its report.html, or none."""

from __future__ import annotations

from library.config.hparams import HParams
from library.modes.evaluation.plots import Plots
from library.modes.evaluation.result import Evaluation

REPORT = 'report.html'


def evaluation_files(
    hparams: HParams, evaluation: Evaluation, plots: Plots
) -> dict[str, bytes | None]:
    """Return the page, or None to remove an old one, which describes another checkpoint.

    Args:
      hparams: of the evaluation.
      evaluation: what it found out.
      plots: of the evaluation.
    """
    if not hparams.report:
        return {REPORT: None}
    from extras.report_and_compare.report.page import report

    return {REPORT: report(hparams, evaluation, plots)}
