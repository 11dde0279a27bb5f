"""Make one page of an evaluation and of what its run left, which holds everything in itself."""

from __future__ import annotations

import os
import sys
from typing import Any

from extras.report_and_compare.report.commands import commands_of
from extras.report_and_compare.report.configuration import configuration, environment
from extras.report_and_compare.report.curves import curves
from extras.report_and_compare.report.mistakes import confused_pairs, worst_mistakes
from extras.report_and_compare.report.run_files import read_run_files
from library.config.hparams import HParams
from library.modes.evaluation.plots import Plots
from library.modes.evaluation.result import Evaluation
from library.pages.template import template
from library.pages.thumbnails import data_uri

REPORT = 'report.html'
# Said in the line above the figures.
_IN_WORDS = ('examples', 'global_step', 'checkpoint', 'split')
# The table of more classes is folded, under one of the worst.
MANY_CLASSES = 40
WORST_CLASSES = 15


def evaluation_files(
    hparams: HParams, evaluation: Evaluation, plots: Plots
) -> dict[str, bytes | None]:
    """Make report.html, or None in the place of an old one, which tells of another checkpoint.

    Args:
      hparams: of the evaluation.
      evaluation: what it found out.
      plots: of the evaluation.
    """
    if not hparams.report:
        return {REPORT: None}
    page = render(hparams, evaluation, plots, sys.argv[0])
    # Names of folders need not be UTF-8.
    return {REPORT: page.encode('utf-8', 'backslashreplace')}


def render(hparams: HParams, evaluation: Evaluation, plots: Plots, program: str) -> str:
    """Write the text of the page.

    Args:
      hparams: of the evaluation; model_dir says where its run lies.
      evaluation: what it found out.
      plots: of the evaluation.
      program: that evaluated, as it was started, for the commands.
    """
    run = read_run_files(hparams.model_dir)
    content: dict[str, Any] = {
        **_headline(hparams.model_dir, evaluation),
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


def _headline(model_dir: str, evaluation: Evaluation) -> dict[str, Any]:
    """Give the title, one line, and a figure for each metric."""
    metrics = evaluation.metrics
    shown = {name: value for name, value in metrics.items() if name not in _IN_WORDS}
    # `loss` is the same number under the name that metrics.json always had.
    if 'average_loss' in shown and shown.get('loss') == shown['average_loss']:
        del shown['loss']
    images = len(evaluation.predictions.labels)
    right = images - len(evaluation.predictions.mistakes)
    return {
        'title': '/'.join(os.path.normpath(model_dir).split('/')[-2:]).lstrip('/'),
        'subtitle': (
            f'{right} of {images} images of {metrics["split"]} classified correctly, at '
            f'step {metrics["global_step"]} ({metrics["checkpoint"]}).'
        ),
        'tiles': [(name.replace('_', ' '), _figure(value)) for name, value in shown.items()],
    }


def _figure(value: object) -> str:
    if value is None:
        return '-'
    return f'{value:.4f}' if isinstance(value, float) else str(value)


def _classes(evaluation: Evaluation) -> dict[str, Any]:
    """Give the table of classes, by label, and the worst of them where they are many."""
    ranked = sorted(
        (each for each in evaluation.classes if each.f1 is not None),
        key=lambda each: each.f1 or 0.0,
    )
    return {
        'classes': evaluation.classes,
        'many_classes': len(evaluation.classes) > MANY_CLASSES,
        'worst_classes': ranked[:WORST_CLASSES],
    }
