"""Compare an exported model, loaded from the disk as another program would, with its checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from library.console import log
from library.errors import MismatchError
from library.modes.exporting.parity_check import ParityCheck, parts
from library.modes.exporting.saved_model import IMAGES
from library.modes.serving.saved import OUTPUTS, SIGNATURE, SavedModelGraph

# Two programs that compute the same in another order differ by less, in probabilities of 0 to 1.
TOLERANCE = 1e-4

Predictions = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Parity:
    """How near an export comes.

    Attributes:
      name: of the export.
      largest: the largest difference of a probability (of a feature, for a Hub module).
      agreement: share of the images that get the same class; None for a Hub module, which has none.
      rate: images per second, one at a time for TFLite, else in batches.
      size: of its files, in bytes.
    """

    name: str
    largest: float
    agreement: float | None
    rate: float
    size: int


def compare_predictions(
    name: str,
    check: ParityCheck,
    ask: Callable[[Any], Predictions],
    batches: Sequence[Any],
    size: int,
) -> Parity:
    """Ask an export about the images of a parity check.

    Args:
      name: of the export.
      check: images and right predictions.
      ask: a batch to names of classes, bytes [batch, classes], and probabilities, float32 [batch,
        classes], the best first.
      batches: all images of the check, as `ask` takes them.
      size: of the export's files.
    """
    outputs, rate = timed(ask, batches)
    classes = np.concatenate([each[0] for each in outputs])
    by_label = in_label_order(
        [each[0] for each in outputs], [each[1] for each in outputs], check.class_names
    )
    largest = float(np.max(np.abs(by_label - check.probabilities)))
    right = np.array(check.class_names, object)[np.argmax(check.probabilities, axis=1)]
    return Parity(name, largest, float(np.mean(classes[:, 0] == right)), rate, size)


def timed(ask: Callable[[Any], Any], batches: Sequence[Any]) -> tuple[list[Any], float]:
    """Ask for all predictions; time all calls but the first one, which also prepares."""
    start = time.perf_counter()
    outputs = [ask(batches[0])]
    first = time.perf_counter()
    outputs += [ask(batch) for batch in batches[1:]]
    if len(batches) == 1:
        return outputs, len(batches[0]) / (first - start)
    return outputs, sum(map(len, batches[1:])) / (time.perf_counter() - first)


def in_label_order(
    classes: Sequence[np.ndarray], probabilities: Sequence[np.ndarray], class_names: list[bytes]
) -> np.ndarray:
    """Put predictions, best first and in parts, in label order: float32 [images, classes]."""
    rows = []
    for names, values in zip(np.concatenate(classes), np.concatenate(probabilities), strict=True):
        of = dict(zip(names, values, strict=True))
        # A name that is missing makes the difference NaN, which no bound lets pass.
        rows.append([of.get(name, np.nan) for name in class_names])
    return np.array(rows, np.float32)


def compare_saved_model(
    folder: str, check: ParityCheck, size: int, config: Any = None
) -> list[Parity]:
    """Ask a SavedModel for classes in both ways; noise has no files to send."""
    with SavedModelGraph(folder, config) as model:
        signature = model.signatures[IMAGES]
        fed = signature.inputs[IMAGES].name
        fetched = tuple(signature.outputs[name].name for name in OUTPUTS)

        def of_images(images: np.ndarray) -> Predictions:
            return model.session.run(fetched, {fed: images})

        batches = list(parts(check.images))
        parities = [compare_predictions(IMAGES, check, of_images, batches, size)]
        if not check.files:
            return parities
        encoded = list(parts(check.files))
        return [compare_predictions(SIGNATURE, check, model.predict, encoded, size), *parities]


def log_parities(parities: Sequence[Parity], images: int) -> None:
    """Log the table."""
    log(
        f'{"on " + str(images) + " images":<16}  largest difference  same class  size      images/s'
    )
    for each in parities:
        same = '-' if each.agreement is None else f'{each.agreement:.4f}'
        size = f'{each.size / 1e6:.1f} MB'
        log(f'{each.name:<16}  {each.largest:<18.1e}  {same:<10}  {size:<8}  {each.rate:.0f}')


def require_parity(parities: Sequence[Parity], min_agreements: Mapping[str, float]) -> None:
    """Raise MismatchError for an export that is not its checkpoint.

    Args:
      parities: of all exports.
      min_agreements: by the name of what may differ, the share of images on which it has to name
        the same class.
    """
    for each in parities:
        if each.name in min_agreements:
            min_agreement = min_agreements[each.name]
            if each.agreement is None or not each.agreement >= min_agreement:
                raise MismatchError(
                    f'{each.name}: gives the class of the checkpoint for {each.agreement:.4f} of '
                    f'the images, less than --min_agreement {min_agreement}; nothing was exported'
                )
        elif not each.largest <= TOLERANCE:
            raise MismatchError(
                f'{each.name}: differs from the checkpoint by {each.largest:.1e}, more than '
                f'{TOLERANCE:.0e}; nothing was exported'
            )
