"""List the misclassified images, with the names of their files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from library.modes.evaluation.result import Mistake, Predictions

# So many of the most confident mistakes keep their image, for the report.
WITH_IMAGE = 24


def list_mistakes(
    predictions: Predictions,
    stored_files: Callable[[Collection[int]], Iterator[tuple[int, str, bytes]]],
) -> tuple[Mistake, ...]:
    """List the misclassified images, the most confident mistake first.

    Args:
      predictions: of each image.
      stored_files: number, name and JPEG of the images with these numbers, where they have such.
    """
    numbers = predictions.mistakes.tolist()
    with_image = set(numbers[:WITH_IMAGE])
    found: dict[int, tuple[str, bytes | None]] = {}
    if numbers:
        for number, name, content in stored_files(numbers):
            found[number] = name, content if number in with_image else None
    mistakes = []
    for number in numbers:
        file, jpeg = found.get(number, ('', None))
        true, predicted = int(predictions.labels[number]), int(predictions.predicted[number])
        mistakes.append(
            Mistake(
                number,
                file,
                predictions.class_names[true],
                predictions.class_names[predicted],
                float(predictions.probabilities[number, predicted]),
                float(predictions.probabilities[number, true]),
                jpeg,
            )
        )
    return tuple(mistakes)
