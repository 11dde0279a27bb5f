"""Render an evaluation and the files of its run as one self-contained page."""

from __future__ import annotations

import sys
from typing import Any

from extras.report_and_compare.report.commands import commands_of
from extras.report_and_compare.report.configuration import configuration
from extras.report_and_compare.report.curves import curves
from extras.report_and_compare.report.headline import headline
from extras.report_and_compare.report.machine import environment
from extras.report_and_compare.report.mistakes import confused_pairs, worst_mistakes
from extras.report_and_compare.report.run_files import read_run_files
from library.config.hparams import HParams
from library.modes.evaluation.plots import Plots
from library.modes.evaluation.result import Evaluation
from library.pages.template import template
from library.pages.thumbnails import data_uri

# The table of more classes is folded, under one of the worst.
MANY_CLASSES = 40
WORST_CLASSES = 15


def report(hparams: HParams, evaluation: Evaluation, plots: Plots) -> bytes:
    """Return the page about the evaluation that this program made, as a file holds it."""
    # Names of folders need not be UTF-8.
    return render(hparams, evaluation, plots, sys.argv[0]).encode('utf-8', 'backslashreplace')


def render(hparams: HParams, evaluation: Evaluation, plots: Plots, program: str) -> str:
    """Render the text of the page.

    Args:
      hparams: of the evaluation; model_dir says where its run lies.
      evaluation: what it found out.
      plots: of the evaluation.
      program: that evaluated, as it was started, for the commands.
    """
    run = read_run_files(hparams.model_dir)
    content: dict[str, Any] = {
        **headline(hparams.model_dir, evaluation),
        **curves(run, hparams),
        **_classes(evaluation),
        'confusion': data_uri(plots.confusion, 'png'),
        'calibration': data_uri(plots.calibration, 'png'),
        'pairs': confused_pairs(evaluation.predictions),
        **worst_mistakes(evaluation.mistakes),
        **configuration(run.values, hparams),
        **environment(run.starts),
        'commands': commands_of(hparams, run.starts, program),
    }
    return template(__package__, 'page.html').render(content)


def _classes(evaluation: Evaluation) -> dict[str, Any]:
    """Tabulate the classes in the order of labels; of many, only the worst."""
    ranked = sorted(
        (each for each in evaluation.classes if each.f1 is not None),
        key=lambda each: each.f1 or 0.0,
    )
    return {
        'classes': evaluation.classes,
        'many_classes': len(evaluation.classes) > MANY_CLASSES,
        'worst_classes': ranked[:WORST_CLASSES],
    }
