"""A small catalogue of options about trees: these tests stand on no project of their own."""

from __future__ import annotations

from dataclasses import dataclass

from library.config.catalog import Catalog
from library.config.command_line import parse
from library.config.fields import (
    COMMAND_LINE,
    HYPERPARAMETERS,
    PROJECT,
    Options,
    option,
)
from library.config.hparams import resolve


@dataclass(frozen=True)
class Where(Options, group='base', home=COMMAND_LINE):
    """Flags only."""

    config_file: str = option('project.yaml', 'File of project sets.')
    config_set: str = option('default', 'Its set.')


@dataclass(frozen=True)
class Run(Options, group='base', home=PROJECT):
    """How and where."""

    hyperparameter_file: str = option('hyperparameters.yaml', 'File of hyper-parameter sets.')
    hyperparameter_set: str = option('default', 'Its set.')
    model: str = option('latest', 'Which tree.', kept_with_run=True)
    folder: str = option('out', 'Where it grows.')
    years: int = option(10, 'How long it grows.', unit='years', low=1)
    offset: int = option(0, 'Shift, 100% free.')
    xla: bool = option(False, 'Grow fast.')
    watered: bool = option(True, 'Give it water.')


@dataclass(frozen=True)
class Learning(Options, group='growth', home=HYPERPARAMETERS):
    """How fast."""

    rate: float = option(0.1, 'Speed of growth.', above=0, below=1)
    season: str = option('spring', 'When it starts.', choices=('spring', 'autumn'))


@dataclass(frozen=True)
class Report(Options, group='report', home=PROJECT, modes=('evaluate',)):
    """What only `evaluate` reads."""

    title: str | None = option(None, 'Heading of the report.')


@dataclass(frozen=True)
class Visitors(Options, group='visitors', home=PROJECT):
    """Who comes."""

    birds: tuple[str, ...] = option((), 'Who lives there.')


@dataclass(frozen=True)
class Fir(Options, group='model', home=HYPERPARAMETERS):
    """A fir."""

    height: int | None = option(None, 'How high.', unit='metres', low=1, kept_with_run=True)
    needles: int = option(1000, 'How many needles.', low=0)


@dataclass(frozen=True)
class Oak(Options, group='model', home=HYPERPARAMETERS):
    """An oak."""

    height: int | None = option(None, 'How high.', unit='metres', low=1, kept_with_run=True)
    acorns: int = option(50, 'How many acorns.', low=0)


CATALOG = Catalog(
    always=(Where, Run, Learning, Report, Visitors),
    selectors={'model': {'fir': Fir, 'oak': Oak}},
    aliases={'model': {'latest': 'oak'}},
)


def resolve_words(folder, *words, project='default:\n', hyper='default:\n', saved=None):
    """HParams of a command line and of the two files with these texts, written to a folder."""
    (folder / 'project.yaml').write_text(project)
    (folder / 'hyperparameters.yaml').write_text(hyper)
    words = [*words, '--config_file', f'{folder}/project.yaml']
    if '--hyperparameter_file' not in words:
        words += ['--hyperparameter_file', f'{folder}/hyperparameters.yaml']
    return resolve(CATALOG, parse(words, CATALOG, ['train', 'evaluate']), saved)
