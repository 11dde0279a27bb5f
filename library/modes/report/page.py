"""An evaluation and what its run left to one page that holds everything in itself."""

from __future__ import annotations

import importlib.resources
import sys
from functools import partial
from typing import Any

import jinja2

from library.config.hparams import HParams
from library.modes.evaluation.answers import Evaluation
from library.modes.evaluation.pictures import Pictures
from library.modes.report.commands import commands_of
from library.modes.report.configuration import configuration
from library.modes.report.curves import curves
from library.modes.report.headline import headline
from library.modes.report.machine import environment
from library.modes.report.mistakes import confused_pairs, worst_mistakes
from library.modes.report.run_files import read_run_files
from library.modes.report.thumbnails import data_uri
from library.modes.short_text import end_of, printable, short_name

# The table of more classes is folded, under one of the worst.
MANY_CLASSES = 40
WORST_CLASSES = 15
LONGEST_NAME, LONGEST_FILE = 40, 120


def report(hparams: HParams, evaluation: Evaluation, pictures: Pictures) -> bytes:
    """The page about the evaluation that this program made, as a file holds it."""
    # Names of folders need not be UTF-8.
    return render(hparams, evaluation, pictures, sys.argv[0]).encode('utf-8', 'backslashreplace')


def render(hparams: HParams, evaluation: Evaluation, pictures: Pictures, program: str) -> str:
    """The text of the page.

    Args:
      hparams: of the evaluation; model_dir says where its run lies.
      evaluation: what it found out.
      pictures: of the evaluation.
      program: that evaluated, as it was started, for the commands.
    """
    run = read_run_files(hparams.model_dir)
    content: dict[str, Any] = {
        **headline(hparams.model_dir, evaluation),
        **curves(run, hparams),
        **_classes(evaluation),
        'confusion': data_uri(pictures.confusion, 'png'),
        'calibration': data_uri(pictures.calibration, 'png'),
        'pairs': confused_pairs(evaluation.answers),
        **worst_mistakes(evaluation.mistakes),
        **configuration(run.values, hparams),
        **environment(run.starts),
        'commands': commands_of(hparams, run.starts, program),
    }
    return _template().render(content)


def _classes(evaluation: Evaluation) -> dict[str, Any]:
    """The table of classes, in the order of labels, and the worst of them where they are many."""
    ranked = sorted(
        (each for each in evaluation.classes if each.f1 is not None), key=lambda each: each.f1
    )
    return {
        'classes': evaluation.classes,
        'many_classes': len(evaluation.classes) > MANY_CLASSES,
        'worst_classes': ranked[:WORST_CLASSES],
    }


def _template() -> jinja2.Template:
    text = importlib.resources.files(__package__).joinpath('page.html').read_text('utf-8')
    rules = jinja2.Environment(
        # Names of classes and files are anybody's.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rules.filters['short'] = partial(short_name, length=LONGEST_NAME)
    rules.filters['file_end'] = _file_end
    return rules.from_string(text)


def _file_end(name: str) -> str:
    """The end of a long path, which tells more than its start."""
    return end_of(printable(name), LONGEST_FILE)
