"""Say what an extra brings to export in one more format, and find the formats of a run."""

from __future__ import annotations

from typing import Protocol

from library.extras import load
from library.modes.exporting.parity import Parity
from library.modes.exporting.parity_check import ParityCheck
from library.modes.serving.graph import ServingGraph
from library.runtime.experiment import Experiment


class ExportFormat(Protocol):
    """One more thing that is made of a trained model, beside the SavedModel.

    An extra names such an object in its `export_formats`; the name is a choice of
    --export_formats, and of the Parity that `write` gives.

    """

    @property
    def is_quantized(self) -> bool:
        """Return True if only --min_agreement of the images must get the checkpoint's class.

        Its probabilities may differ from those of the checkpoint then.
        """

    def check(self, experiment: Experiment) -> None:
        """Raise ConfigError if the model of this run cannot be exported so."""

    def write(
        self, experiment: Experiment, serving: ServingGraph, check: ParityCheck, folder: str
    ) -> Parity:
        """Write the files, load them as another program would, and compare.

        Args:
          experiment: a run on images.
          serving: its checkpoint; no file of it is read.
          check: images, and what the checkpoint says about them.
          folder: of the version; it holds the SavedModel, and gets a folder of this format's own.

        Raises:
          MismatchError: the model holds something that the format does not have.
        """


def chosen_formats(experiment: Experiment) -> dict[str, ExportFormat]:
    """Find the formats that a run asks for, in its order; {} in a clone without such extras."""
    if 'export_formats' not in experiment.hparams:
        return {}
    known = experiment.extras.joined('export_formats')
    return {name: load(known[name]) for name in experiment.hparams.export_formats}
